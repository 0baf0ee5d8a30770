/** The client of the exec server: everything that happens in the workspace container is asked for here. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFrame, type Frame, frameDecoder, MAX_PAYLOAD_BYTES } from './frames.ts';
import {
  type Entry,
  type ErrorCode,
  type ExecResult,
  entries,
  type OutputStream,
  PROTOCOL_VERSION,
  type Reply,
  reply,
} from './protocol.ts';

/** The server refused a request, or failed at it. */
export class WorkspaceError extends Error {
  override readonly name = 'WorkspaceError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The connection is gone, and with it everything that ran. */
export class WorkspaceLostError extends Error {
  override readonly name = 'WorkspaceLostError';
}

interface ExecRequest {
  /** Program and arguments, or a line for `/bin/sh -c`. */
  command: { argv: readonly string[] } | { script: string };
  /** Relative to the workspace's folder, which is the default. */
  cwd?: string;
  /** On top of the environment of the project's image. */
  env?: Readonly<Record<string, string>>;
  /** At most 1 MiB. */
  stdin?: string;
  timeoutMs: number;
  /** What of both streams together is forwarded live; beyond that only the last 16 KiB of each come, at the end. */
  outputBytes: number;
  /** Called for each chunk; `omitted` bytes of the stream are missing before it. */
  onOutput?: (stream: OutputStream, chunk: Buffer, omitted: number) => void;
  /** Ends the command: TERM, after `killGraceMs` KILL. The result then says `killed`. */
  signal?: AbortSignal;
  killGraceMs: number;
}

export interface Workspace {
  /** Runs a command to its end. Rejects with WorkspaceError when it cannot be started, with the signal's reason when that was aborted before. */
  exec(request: ExecRequest): Promise<ExecResult>;
  /** Reads at most 1 MiB from `offset`; `bytes` is the size of the whole file. */
  read(path: string, range?: { offset?: number; length?: number }): Promise<{ content: Buffer; bytes: number }>;
  /** Replaces a file as a whole, or appends to it. At most 1 MiB. */
  write(path: string, content: string | Uint8Array, options?: WriteOptions): Promise<void>;
  list(path: string): Promise<{ entries: Entry[]; truncated: boolean }>;
  stat(path: string): Promise<Entry>;
  /** Aborted with a WorkspaceLostError when the connection is lost; every request rejects with the same. */
  readonly lost: AbortSignal;
  /** Asks the server to exit, and disconnects. Never rejects. */
  shutdown(): Promise<void>;
}

interface WriteOptions {
  append?: boolean;
  parents?: boolean;
  /** Permission bits of a new file. */
  mode?: number;
}

interface Waiting {
  reply(message: Reply, payload: Buffer): void;
  fail(error: Error): void;
}

const RETRY_MS = 100;

/**
 * Connects, waiting for the server to listen.
 * @throws WorkspaceLostError when it does not in time, WorkspaceError when it refuses
 */
export async function connectWorkspace(options: { socket: string; timeoutMs: number }): Promise<Workspace> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    const socket = await dial(options.socket);
    if (socket instanceof Error) {
      if (Date.now() >= deadline)
        throw new WorkspaceLostError(`nothing listens on ${options.socket}`, { cause: socket });
      await sleep(RETRY_MS);
      continue;
    }
    return await greet(socket, Math.max(deadline - Date.now(), 1_000));
  }
}

/** The connected socket, or why it could not be connected. */
function dial(path: string): Promise<Socket | Error> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', resolve);
    socket.once('connect', () => {
      socket.off('error', resolve);
      resolve(socket);
    });
  });
}

function greet(socket: Socket, timeoutMs: number): Promise<Workspace> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new WorkspaceLostError('the exec server does not greet')), timeoutMs);
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const session = converse(socket, {
      reply(message) {
        clearTimeout(timer);
        if (message.type === 'error') fail(new WorkspaceError(message.code, message.message));
        else if (message.type !== 'hello' || message.version !== PROTOCOL_VERSION)
          fail(new WorkspaceLostError(`the exec server greets with ${JSON.stringify(message)}`));
        else resolve(session);
      },
      fail,
    });
  });
}

/** @param greeting gets the first message, and those about no request in particular */
function converse(socket: Socket, greeting: Waiting): Workspace {
  const waiting = new Map<number, Waiting>();
  const lost = new AbortController();
  const decode = frameDecoder();
  let next = 1;

  socket.on('data', (chunk: Buffer) => {
    try {
      for (const frame of decode(chunk)) dispatch(frame);
    } catch (error) {
      lose(error);
    }
  });
  socket.on('error', lose);
  socket.on('close', () => lose(undefined));

  function lose(cause: unknown): void {
    if (lost.signal.aborted) return;
    const error = new WorkspaceLostError('the connection to the exec server is lost', { cause });
    lost.abort(error);
    socket.destroy();
    greeting.fail(error);
    for (const each of waiting.values()) each.fail(error);
    waiting.clear();
  }

  function dispatch({ header, payload }: Frame): void {
    const message = reply.parse(header);
    if (!('id' in message) || message.id === null) greeting.reply(message, payload);
    // An unknown id is a late answer to a request that was given up.
    else waiting.get(message.id)?.reply(message, payload);
  }

  /** Sends a request; `receive` gets its replies until it returns true. */
  function ask(
    op: string,
    args: object,
    payload: Uint8Array | undefined,
    receive: (message: Reply, payload: Buffer) => boolean,
    failed: (error: Error) => void,
  ): number {
    const id = next++;
    if (lost.signal.aborted) {
      failed(lost.signal.reason);
      return id;
    }
    waiting.set(id, {
      fail: failed,
      reply(message, content) {
        if (message.type === 'error') {
          waiting.delete(id);
          failed(new WorkspaceError(message.code, message.message));
        } else if (receive(message, content)) waiting.delete(id);
      },
    });
    socket.write(encodeFrame({ id, op, args }, payload));
    return id;
  }

  /** A request with exactly one reply, of the given type. */
  function call<T extends Reply['type']>(
    type: T,
    op: string,
    args: object,
    payload?: Uint8Array,
  ): Promise<{ message: Extract<Reply, { type: T }>; payload: Buffer }> {
    return new Promise((resolve, reject) => {
      const receive = (message: Reply, content: Buffer) => {
        if (message.type === type) resolve({ message: message as Extract<Reply, { type: T }>, payload: content });
        else reject(new WorkspaceLostError(`${op} was answered by ${message.type}`));
        return true;
      };
      ask(op, args, payload, receive, reject);
    });
  }

  return {
    lost: lost.signal,

    exec({ command, stdin, signal, onOutput, cwd = '', env = {}, ...limits }) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      return new Promise((resolve, reject) => {
        const kill = () => {
          // It may have ended by itself meanwhile.
          call('done', 'kill', { exec: id, graceMs: limits.killGraceMs }).catch(() => undefined);
        };
        const settle = () => signal?.removeEventListener('abort', kill);
        const id = ask(
          'exec',
          { ...command, cwd, env, imageEnv: true, ...limits },
          stdin === undefined ? undefined : Buffer.from(stdin),
          (message, chunk) => {
            if (message.type === 'output') onOutput?.(message.stream, chunk, message.omitted ?? 0);
            if (message.type !== 'exit') return false;
            settle();
            const { type: _, id: __, ...result } = message;
            resolve(result);
            return true;
          },
          (error) => {
            settle();
            reject(error);
          },
        );
        signal?.addEventListener('abort', kill, { once: true });
      });
    },

    async read(path, range = {}) {
      const { message, payload } = await call('content', 'read', { path, ...range });
      return { content: payload, bytes: message.bytes };
    },

    async write(path, content, options = {}) {
      const bytes = Buffer.from(content);
      if (bytes.length > MAX_PAYLOAD_BYTES)
        throw new WorkspaceError('invalidRequest', `${path}: ${bytes.length} bytes are too many for one request`);
      await call('done', 'write', { path, ...options }, bytes);
    },

    async list(path) {
      const { message, payload } = await call('entries', 'list', { path });
      return { entries: entries.parse(JSON.parse(payload.toString('utf8'))), truncated: message.truncated };
    },

    async stat(path) {
      return (await call('stat', 'stat', { path })).message.entry;
    },

    async shutdown() {
      await call('done', 'shutdown', {}).catch(() => undefined);
      socket.destroy();
    },
  };
}
