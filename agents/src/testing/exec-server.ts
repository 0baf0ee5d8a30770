/** A real exec server, as a process of the test's own. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const manifest = join(import.meta.dirname, '../../workspace/Cargo.toml');

/** Builds the server when it is out of date, and returns its path. */
export function buildExecServer(): string {
  const arguments_ = ['build', '--quiet', '--locked', '--message-format=json', '--manifest-path', manifest];
  for (const line of execFileSync('cargo', arguments_, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).split('\n')) {
    const message: { executable?: string | null } = line.startsWith('{') ? JSON.parse(line) : {};
    if (typeof message.executable === 'string') return message.executable;
  }
  throw new Error('cargo has built no program');
}

export interface ExecServer {
  socket: string;
  /** The workspace's folder. */
  directory: string;
  /** Resolves with the exit code, or the signal's name. */
  ended: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a server with its socket and workspace in `folder`. */
export function startExecServer(program: string, folder: string, settings: Record<string, string> = {}): ExecServer {
  const socket = join(folder, 'workspace.sock');
  const directory = join(folder, 'workspace');
  mkdirSync(directory, { recursive: true });
  const child = spawn(program, ['serve'], {
    env: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: join(directory, 'home'),
      MILLWRIGHT_WORKSPACE_SOCKET: socket,
      MILLWRIGHT_WORKSPACE_DIR: directory,
      MILLWRIGHT_WORKSPACE_CONTROL_GRACE_SECONDS: '1',
      ...settings,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  return { socket, directory, ended, kill: (signal) => child.kill(signal) };
}
