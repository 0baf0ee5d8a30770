import { spawn } from 'node:child_process';
import { appendFile } from 'node:fs/promises';

/** A command that ended with another exit code than 0, or could not be started. */
export class CommandError extends Error {
  readonly exitCode: number | null;
  readonly output: string;

  constructor(command: string, exitCode: number | null, output: string) {
    const tail = output.trimEnd().split('\n').slice(-12).join('\n');
    super(
      `${command} ended with ${exitCode === null ? 'a signal' : `exit code ${exitCode}`}${tail ? `:\n${tail}` : ''}`,
    );
    this.name = 'CommandError';
    this.exitCode = exitCode;
    this.output = output;
  }
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the caller's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  /** Written to standard input, which is empty otherwise. */
  readonly input?: string | Buffer;
  /** Standard output and standard error are also appended to this file. */
  readonly log?: string;
  /** Called for each complete line of either stream, for progress. */
  readonly onLine?: (line: string) => void;
  readonly timeoutSeconds?: number;
}

/**
 * Runs a command to its end and returns its standard output.
 *
 * @throws CommandError with the last lines of what it printed, when it fails, is missing, or exceeds its time.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
    ...(options.timeoutSeconds === undefined ? {} : { timeout: options.timeoutSeconds * 1000, killSignal: 'SIGKILL' }),
  });
  const stdout: Buffer[] = [];
  const all: Buffer[] = [];
  const lines = lineSplitter(options.onLine);
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.push(chunk);
    all.push(chunk);
    lines(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    all.push(chunk);
    lines(chunk);
  });
  // A command that ends without reading its input closes the pipe; its exit code says what matters.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  const { code, failure } = await new Promise<{ code: number | null; failure?: Error }>((resolve) => {
    child.once('error', (failure) => resolve({ code: null, failure }));
    child.once('close', (code) => resolve({ code }));
  });
  const output = Buffer.concat(all).toString('utf8');
  if (options.log) await appendFile(options.log, output);
  if (failure) throw new CommandError(command, null, failure.message);
  if (code !== 0) throw new CommandError([command, ...args.slice(0, 3)].join(' '), code, output);
  return Buffer.concat(stdout).toString('utf8');
}

function lineSplitter(onLine: ((line: string) => void) | undefined): (chunk: Buffer) => void {
  if (!onLine) return () => {};
  let rest = '';
  return (chunk) => {
    const parts = (rest + chunk.toString('utf8')).split(/\r?\n/);
    rest = parts.pop() ?? '';
    for (const line of parts) if (line.trim()) onLine(line);
  };
}
