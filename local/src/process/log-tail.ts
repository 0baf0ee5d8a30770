import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The last lines of a file, read from its end; undefined when there is none. */
export function logTail(path: string, count: number): string[] | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, count * 2000));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-count);
  } finally {
    closeSync(file);
  }
}
