import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

export interface ChildOptions {
  command: string;
  args: readonly string[];
  /** All of its environment but `PATH`. */
  env?: Readonly<Record<string, string>>;
  /** Output is appended to this file. */
  log: string;
  /** Asks it to end; SIGTERM by default. */
  signal?: NodeJS.Signals;
}

export interface Child {
  process: ChildProcess;
  /** Throws, with the name of the log, when it has ended. */
  check(): void;
  /** Asks it to end, and insists after ten seconds. */
  stop(): Promise<void>;
}

/** Starts a process that the kernel ends with this one, however this one ends. */
export function startChild({ command, args, env, log, signal = 'SIGTERM' }: ChildOptions): Child {
  const child = spawn('setpriv', ['--pdeathsig', signal.slice(3), command, ...args], {
    env: { PATH: process.env.PATH, ...env },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = createWriteStream(log, { flags: 'a' });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    process: child,
    check() {
      if (hasEnded()) throw new Error(`${command} has ended; see ${log}`);
    },
    async stop() {
      if (!hasEnded()) {
        const ended = once(child, 'exit');
        child.kill(signal);
        const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
        await ended;
        clearTimeout(patience);
      }
      output.end();
    },
  };
}
