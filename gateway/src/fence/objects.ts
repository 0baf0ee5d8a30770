/** What git says of the objects of a repository, as bytes: paths need be no UTF-8. */
import { collectStderr, GitError, gitExit, killGit, spawnGit } from '../shared/git-command.ts';

/** The change is larger than what is judged. The message says what is too large. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

export interface ObjectOptions {
  repository: string;
  /** Milliseconds since the epoch, at which git is ended. */
  deadline: number;
}

/**
 * Runs git and passes on what it writes.
 * @throws GitError, and what `onData` throws
 */
export async function streamGit(
  args: readonly string[],
  { repository, deadline }: ObjectOptions,
  onData: (chunk: Buffer) => void,
  input = '',
): Promise<void> {
  const child = spawnGit(args, { cwd: repository });
  const stderr = collectStderr(child);
  let thrown: { error: unknown } | undefined;
  let timedOut = false;
  child.stdout.on('data', (chunk: Buffer) => {
    if (thrown) return;
    try {
      onData(chunk);
    } catch (error) {
      thrown = { error };
      killGit(child);
    }
  });
  const timer = setTimeout(
    () => {
      timedOut = true;
      killGit(child);
    },
    Math.max(0, deadline - Date.now()),
  );
  try {
    child.stdin.end(input);
    const code = await gitExit(child);
    if (thrown) throw thrown.error;
    if (code !== 0) throw new GitError(args[0] ?? '', code, await stderr(), '', timedOut);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs git to its end and returns what it wrote, at most `limit` bytes. @throws GitError, TooLargeError with `what` */
export async function gitBytes(
  args: readonly string[],
  options: ObjectOptions,
  limit: { bytes: number; what: string },
  input?: string,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const keep = (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit.bytes) throw new TooLargeError(`${limit.what}: more than ${limit.bytes} bytes`);
    chunks.push(chunk);
  };
  await streamGit(args, options, keep, input);
  return Buffer.concat(chunks);
}

export interface ObjectHeader {
  /** Its place in the list of what is read. */
  index: number;
  type: string;
  /** In bytes. */
  size: number;
}

/** Takes objects piece by piece, one after the other. */
export interface ObjectSink {
  begin(header: ObjectHeader): void;
  data(chunk: Buffer): void;
  end(): void;
}

const LINE_FEED = 10;
/** A hash, a type and a number. */
const MAX_HEADER = 160;

/** Reads objects in the order of their hashes in `ids`. @throws GitError, and what the sink throws */
export async function readObjects(ids: readonly string[], options: ObjectOptions, sink: ObjectSink): Promise<void> {
  if (ids.length === 0) return;
  let header = '';
  let index = 0;
  /** Bytes of the contents that are to come; -1 in a header, 0 before the line feed that ends the contents. */
  let left = -1;
  const take = (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      if (left < 0) {
        const end = chunk.indexOf(LINE_FEED, at);
        header += chunk.toString('latin1', at, end < 0 ? chunk.length : end);
        if (end < 0 && header.length <= MAX_HEADER) return;
        const [, type, size] = /^[0-9a-f]+ (\w+) (\d+)$/.exec(header) ?? [];
        if (type === undefined) throw new Error(`cannot read ${ids[index]}: ${header.slice(0, MAX_HEADER)}`);
        header = '';
        at = end + 1;
        left = Number(size);
        sink.begin({ index, type, size: left });
      } else if (left > 0) {
        const piece = chunk.subarray(at, at + left);
        sink.data(piece);
        at += piece.length;
        left -= piece.length;
      } else {
        sink.end();
        at += 1;
        index += 1;
        left = -1;
      }
    }
  };
  await streamGit(['cat-file', '--batch'], options, take, `${ids.join('\n')}\n`);
  if (index !== ids.length) throw new Error(`${ids.length - index} of ${ids.length} objects could not be read`);
}

/** Reads whole objects into memory: those that `takes` says. */
export async function readContents(
  ids: readonly string[],
  options: ObjectOptions,
  takes: (header: ObjectHeader) => boolean,
): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  let pieces: Buffer[] | undefined;
  let id = '';
  await readObjects(ids, options, {
    begin(header) {
      id = ids[header.index] ?? '';
      pieces = takes(header) ? [] : undefined;
    },
    data: (chunk) => void pieces?.push(Buffer.from(chunk)),
    end: () => void (pieces && contents.set(id, Buffer.concat(pieces))),
  });
  return contents;
}
