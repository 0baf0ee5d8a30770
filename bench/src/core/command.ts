import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { median } from '../stats.ts';

export interface Ran {
  milliseconds: number;
  output: Buffer;
}

export interface Command {
  command: string;
  args: readonly string[];
  cwd: string;
  /** All of its environment but `PATH`. */
  env?: Readonly<Record<string, string>>;
  /** Exit codes that are no failure. */
  allowed?: readonly number[];
}

/** Runs a program and reads all that it prints; the time is from its start to its end. */
export async function runTimed({ command, args, cwd, env, allowed = [0] }: Command): Promise<Ran> {
  const start = performance.now();
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-1000);
  });
  const [code, signal] = await once(child, 'close');
  const milliseconds = performance.now() - start;
  if (!allowed.includes(code))
    throw new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}: ${complaint}`);
  return { milliseconds, output: Buffer.concat(chunks) };
}

/** How long the start of a program takes: the median of some runs in which it has nothing to do. */
export async function startTime(command: Command): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 9; i++) times.push((await runTimed(command)).milliseconds);
  return median(times);
}
