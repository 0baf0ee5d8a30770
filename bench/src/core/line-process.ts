import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program that answers each request on its standard input with one line. */
export interface LineProcess extends AsyncDisposable {
  /** One request at a time. Throws, with the end of what it wrote to standard error, when the program ends instead. */
  ask(...request: readonly (string | Uint8Array)[]): Promise<string>;
}

/** Starts the program; disposing of it ends it. */
export function startLineProcess(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): LineProcess {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    env: { PATH: process.env.PATH, ...env },
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-1000);
  });
  // What a program does not read is no matter: that it has ended shows when its answer is awaited.
  child.stdin.on('error', () => {});
  const ended = once(child, 'close');
  return {
    async ask(...request) {
      for (const part of request) child.stdin.write(part);
      const answer = await lines.next();
      if (answer.done !== true) return answer.value;
      await ended;
      throw new Error(`${command} ${ending(child)} instead of answering: ${complaint.trim()}`);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const ending = ({ exitCode, signalCode }: ChildProcessWithoutNullStreams): string =>
  signalCode === null ? `ended with ${exitCode}` : `was ended by ${signalCode}`;
