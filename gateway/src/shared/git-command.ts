import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Credentials } from './projects.ts';
import { redacted } from './redacted.ts';

/** A git program ended with an error; `stderr` is what it said, without credentials. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly stderr: string;
  readonly stdout: string;
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  constructor(command: string, exitCode: number | null, stderr: string, stdout: string, timedOut: boolean) {
    super(`git ${command} ${timedOut ? 'took too long' : `ended with ${exitCode}`}: ${stderr}`);
    this.stderr = stderr;
    this.stdout = stdout;
    this.exitCode = exitCode;
    this.timedOut = timedOut;
  }
}

export interface GitOptions {
  cwd?: string | undefined;
  /** Configuration for this command only; a key may appear more than once. */
  config?: readonly (readonly [key: string, value: string])[];
  /** Sent to the host of `url` only, wherever it redirects to. */
  login?: { url: string; credentials: Credentials } | undefined;
  /** Value of the client's Git-Protocol header. */
  protocol?: string | undefined;
  timeoutMs?: number;
}

/** Old repositories have these flaws in their history; none is a danger, and refusing them would refuse the repository. */
const harmlessFlaws = [
  'badTimezone',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'zeroPaddedFilemode',
  'zeroPaddedDate',
];

const isolation: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  // A volume belongs to whoever the cluster says; nothing of it is trusted for configuration.
  ['safe.directory', '*'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['receive.fsckObjects', 'true'],
  ['fetch.fsckObjects', 'true'],
  ...harmlessFlaws.map((flaw) => [`fetch.fsck.${flaw}`, 'ignore'] as const),
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '30'],
];

/** Of this process's environment, git sees what it needs to reach the network. */
const passedOn = [
  'PATH',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTPS_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
  'TMPDIR',
];

/** Asks the environment, so that no credential is ever an argument, which anyone on the machine could read. */
const credentialHelper =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$MILLWRIGHT_GIT_USERNAME" "$MILLWRIGHT_GIT_PASSWORD"; }; f';

function environmentOf(options: GitOptions): NodeJS.ProcessEnv {
  const config = [...isolation, ...(options.config ?? [])];
  const environment: NodeJS.ProcessEnv = {};
  for (const name of passedOn) if (process.env[name] !== undefined) environment[name] = process.env[name];
  if (options.login) {
    const { url, credentials } = options.login;
    const { protocol, host } = new URL(url);
    config.push([`credential.${protocol}//${host}.helper`, credentialHelper]);
    environment.MILLWRIGHT_GIT_USERNAME = credentials.username;
    environment.MILLWRIGHT_GIT_PASSWORD = credentials.password;
  }
  for (const [index, [key, value]] of config.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return {
    ...environment,
    GIT_CONFIG_COUNT: String(config.length),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'https:http:git',
    GIT_OPTIONAL_LOCKS: '0',
    ...(options.protocol === undefined ? {} : { GIT_PROTOCOL: options.protocol }),
  };
}

export type GitProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** Starts git with a configuration of our own only, in a process group of its own. */
export function spawnGit(args: readonly string[], options: GitOptions = {}): GitProcess {
  const child = spawn('git', args, {
    cwd: options.cwd ?? '/',
    env: environmentOf(options),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  // A program that ends early closes its input; its exit code says so better than EPIPE does.
  child.stdin.on('error', () => {});
  return child;
}

/** Ends git and the programs it started. */
export function killGit(child: GitProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

const MAX_STDERR = 8 * 1024;

/** What a program says on stderr, bounded and without credentials. */
export function collectStderr(child: GitProcess): () => Promise<string> {
  let text = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (chunk: string) => {
    // More than is shown: a secret that is cut in two could not be told from other text.
    if (text.length < 2 * MAX_STDERR) text = (text + chunk).slice(0, 2 * MAX_STDERR);
  });
  return async () => (await redacted(text.trim())).slice(0, MAX_STDERR);
}

/** Resolves with the exit code when the program has ended and its output was read; null when it was killed. */
export function gitExit(child: GitProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
}

/**
 * Runs git to its end. Resolves with its standard output. Throws GitError when it ends with other than 0, or takes longer than
 * `timeoutMs` (default 60 s).
 */
export async function git(args: readonly string[], options: GitOptions & { input?: string } = {}): Promise<string> {
  const child = spawnGit(args, options);
  const stderr = collectStderr(child);
  let stdout = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stdin.end(options.input ?? '');
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGit(child);
  }, options.timeoutMs ?? 60_000);
  try {
    const code = await gitExit(child);
    if (code !== 0) throw new GitError(args[0] ?? '', code, await stderr(), stdout, timedOut);
    return stdout;
  } finally {
    clearTimeout(timer);
  }
}
