import type { Addresses, Ports } from './addresses.ts';

/** What to execute: a daemon that stays in the foreground. The supervisor detaches it and sends its output to its log file. */
export interface Launch {
  /** Absolute path, or a name to look up in `PATH`. */
  readonly command: string;
  readonly args: readonly string[];
  /** Added to a minimal environment (`PATH`, `HOME`, `LANG`); nothing else of the caller's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /**
   * How the configuration is told apart: a running daemon whose fingerprint differs from the new one is restarted by `up`.
   * Left out, it is computed from command, args and env; set it when the daemon also reads files that `prepare` wrote.
   */
  readonly fingerprint?: string;
}

/** One daemon of the local platform. All its functions are idempotent: `up` calls them again on a running platform. */
export interface Service {
  /** Lower case with dashes; names the folder of its data, its log and its record. */
  readonly name: string;
  /** Services that must be ready, `afterReady` included, before this one is prepared. */
  readonly dependsOn?: readonly string[];
  /** Debian packages that bring the commands it uses; all of them are installed in one go before anything starts. */
  readonly packages?: readonly string[];
  /** Go tools it uses, as named in `tools.ts`; built before it is prepared. */
  readonly tools?: readonly string[];
  /** Writes configuration and certificates, fetches or initialises what is missing, and says what to launch. */
  prepare(ctx: Context): Promise<Launch>;
  /** One quick probe (it is called again every 100 ms or so); throws an Error that says what is still missing. */
  ready(ctx: Context): Promise<void>;
  /** Set-up that needs the running daemon: users, databases, objects. Runs on every `up`. */
  afterReady?(ctx: Context): Promise<void>;
  /** Seconds until the start counts as failed; 60 unless told. */
  readonly readyTimeoutSeconds?: number;
  /** How to end it; SIGTERM and 10 s before SIGKILL to the whole process group unless told. */
  readonly stop?: { readonly signal?: NodeJS.Signals; readonly timeoutSeconds?: number };
  /** Ends what would outlive the process and can only be ended while it still runs. */
  beforeStop?(ctx: Context): Promise<void>;
  /** Cleans up what outlives the process (mounts, child processes of its own), after it has ended. */
  afterStop?(ctx: Context): Promise<void>;
  /** Where people and their programs reach it: URL → what answers there. Credentials are taken out before they are shown. */
  addresses?(ctx: Context): Readonly<Record<string, string>>;
  /** What to try when it fails, one sentence for a person. */
  readonly remedy: string;
}

/** Reports how a step goes on: fraction between 0 and 1 when known, and a few words. */
export type Report = (fraction: number | undefined, detail?: string) => void;

/** Where things are, and how to speak to the person who waits. The same object for every service. */
export interface Context {
  /** Absolute path of the repository. */
  readonly repository: string;
  /** `<repository>/.local` unless `MILLWRIGHT_LOCAL_DIR` says otherwise: everything that `reset` deletes. */
  readonly stateDir: string;
  /** Outside the repository, kept over `reset`: built tools, downloaded packages, durations of former runs. */
  readonly cacheDir: string;
  /** Short path for Unix sockets (their path is limited to 107 bytes). */
  readonly runDir: string;
  readonly addresses: Addresses;
  readonly ports: Ports;
  /** The service's own folder for data and configuration, created on first use. */
  dataDir(service: string): string;
  /** The file that receives the service's output. */
  logFile(service: string): string;
  /** A random secret (48 hex digits), made on first use and the same until `reset`. */
  secret(name: string): string;
  /** Path of a built Go tool such as `kubectl` or `etcd`. Throws while it has not been built. */
  tool(name: string): string;
  /** One line for the person. */
  say(message: string): void;
  /** Wraps whatever may take longer than a second: shows a bar, an estimate from former runs, and the time it took. */
  step<T>(label: string, work: (report: Report) => Promise<T>, expectedSeconds?: number): Promise<T>;
}
