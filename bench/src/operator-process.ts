import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';

export interface OperatorProcessOptions {
  repository: string;
  log: string;
  env: Record<string, string>;
  /** Folder for a CPU profile, which Node writes when the process ends. */
  profileDir?: string;
}

/**
 * The operator as a child process, with nothing of the caller's environment but `PATH`; the kernel ends it with the bench. It is the bundle
 * that its image holds, unless a profile is wanted: that names the places in the sources.
 */
export function startOperatorProcess(options: OperatorProcessOptions): {
  process: ChildProcess;
  stop(): Promise<void>;
} {
  const { repository, log, env, profileDir } = options;
  const args =
    profileDir === undefined
      ? ['--enable-source-maps', join(repository, 'operator/dist/operator.js')]
      : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, join(repository, 'operator/src/main.ts')];
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', process.execPath, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = createWriteStream(log, { flags: 'a' });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  return {
    process: child,
    async stop() {
      if (!hasEnded(child)) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
      output.end();
    },
  };
}

export const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
