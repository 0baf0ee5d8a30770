import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { collectStderr, type GitOptions, gitExit, killGit, spawnGit } from '../shared/git-command.ts';
import { attemptRef, baseRef } from './bundles.ts';
import { pktLine } from './push-commands.ts';

/**
 * Smart HTTP (gitprotocol-http): git's own programs do the work, this file connects their pipes to requests.
 */
type GitService = 'upload-pack' | 'receive-pack';

/** The request is larger than its limit. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
  readonly limit: number;
  constructor(limit: number) {
    super(`the request has more than ${limit} bytes`);
    this.limit = limit;
  }
}

/** The request says that its body is compressed, and it is not. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError';
}

const own = (kind: 'uploadpack' | 'receive', refs: readonly string[]): [string, string][] =>
  refs.map((ref) => [`${kind}.hideRefs`, ref]);

/** A reader sees branches, tags and all attempts, but of the pins only its Workflow's. */
export function readerConfig(workflow: string | undefined): [string, string][] {
  // The control plane asks for the commit that was verified, wherever the attempt's ref points by now.
  if (workflow === undefined) return [['uploadpack.allowAnySHA1InWant', 'true']];
  return own('uploadpack', ['refs/workflows/', `!${baseRef(workflow)}`]);
}

/** git itself, too, takes nothing but this attempt's ref: it cannot update what it hides. */
export function writerConfig(workflow: string, task: string, attempt: number, maxBytes: number): [string, string][] {
  return [
    ...own('receive', ['refs/attempts/', 'refs/workflows/', `!${baseRef(workflow)}`, `!${attemptRef(task, attempt)}`]),
    ['receive.denyDeletes', 'true'],
    ['receive.maxInputSize', String(maxBytes)],
    ['receive.autogc', 'false'],
    ['core.logAllRefUpdates', 'false'],
  ];
}

/** The body of a request, decompressed. Throws TooLargeError after `limit` bytes, EncodingError when it cannot be decompressed. */
export async function* requestBody(request: Request, limit: number): AsyncGenerator<Buffer> {
  if (!request.body) return;
  const raw = Readable.fromWeb(request.body as import('node:stream/web').ReadableStream);
  const encoding = request.headers.get('content-encoding');
  const gunzip = encoding === 'gzip' || encoding === 'x-gzip' ? createGunzip() : undefined;
  if (gunzip) raw.on('error', (error) => gunzip.destroy(error));
  const plain: Readable = gunzip ? raw.pipe(gunzip) : raw;
  let bytes = 0;
  try {
    for await (const chunk of plain as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limit) throw new TooLargeError(limit);
      yield chunk;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_')) throw new EncodingError('the body is not gzip, though its Content-Encoding says so');
    throw error;
  } finally {
    raw.destroy();
  }
}

/** Protocol versions are `version=1` and the like; anything else is not passed on. */
export function protocolOf(header: string | null): string | undefined {
  return header !== null && /^version=[0-2]$/.test(header) ? header : undefined;
}

/** Writes chunks to git as fast as it takes them. */
async function feed(stdin: import('node:stream').Writable, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    if (stdin.destroyed || stdin.writableEnded) return;
    if (!stdin.write(chunk)) {
      await new Promise<void>((resolve) => {
        stdin.once('drain', resolve);
        stdin.once('close', resolve);
      });
    }
  }
  stdin.end();
}

export interface GitCall {
  service: GitService;
  repository: string;
  config: [string, string][];
  protocol?: string | undefined;
  timeoutMs: number;
  /** The request was given up. */
  signal: AbortSignal;
}

function start(call: GitCall, args: readonly string[]) {
  const options: GitOptions = { config: call.config, protocol: call.protocol };
  const child = spawnGit([call.service, '--stateless-rpc', ...args, call.repository], options);
  const stderr = collectStderr(child);
  const end = () => killGit(child);
  const timer = setTimeout(end, call.timeoutMs);
  call.signal.addEventListener('abort', end, { once: true });
  if (call.signal.aborted) end();
  const exit = gitExit(child).finally(() => {
    clearTimeout(timer);
    call.signal.removeEventListener('abort', end);
  });
  return { child, stderr, exit };
}

const MAX_BUFFERED = 64 * 1024 * 1024;

/** Runs git on a body and returns all it wrote. Throws when it fails, with what it said. */
export async function runToEnd(
  call: GitCall,
  args: readonly string[],
  body?: AsyncIterable<Uint8Array>,
): Promise<Buffer> {
  const { child, stderr, exit } = start(call, args);
  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_BUFFERED) killGit(child);
    else chunks.push(chunk);
  });
  try {
    if (body) await feed(child.stdin, body);
    else child.stdin.end();
  } catch (error) {
    killGit(child);
    await exit.catch(() => undefined);
    throw error;
  }
  const code = await exit;
  if (code !== 0) throw new Error(`git ${call.service} ended with ${code}: ${await stderr()}`);
  return Buffer.concat(chunks);
}

/** The list of refs and capabilities that a clone, fetch or push begins with. */
export async function advertise(call: GitCall): Promise<Buffer> {
  const refs = await runToEnd(call, ['--advertise-refs']);
  const announced = call.service === 'upload-pack' && call.protocol === 'version=2';
  return announced ? refs : Buffer.concat([pktLine(`# service=git-${call.service}\n`), Buffer.from('0000'), refs]);
}

/**
 * Streams what upload-pack answers. `onEnd` is called once, whatever ends it, with what went wrong if anything did.
 */
export function streamUpload(
  call: GitCall,
  body: AsyncIterable<Uint8Array>,
  onEnd: (problem?: string) => void,
): ReadableStream {
  const { child, stderr, exit } = start(call, []);
  feed(child.stdin, body).catch((error: unknown) => {
    killGit(child);
    child.stdout.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  exit
    .then(async (code) => (code === 0 ? undefined : (await stderr()) || `git ended with ${code}`))
    .then(onEnd, (error: unknown) => onEnd(String(error)));
  return Readable.toWeb(child.stdout) as ReadableStream;
}
