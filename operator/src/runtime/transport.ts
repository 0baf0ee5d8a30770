import { fullJitter } from './backoff.ts';
import { type Clock, sleep, systemClock } from './clock.ts';
import { Connections } from './connections.ts';
import type { Credentials } from './credentials.ts';
import { errorFromResponse, KubeError, WritesForbiddenError } from './errors.ts';
import { type Answer, type Exchange, ExchangeError, exchange } from './exchange.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';

export interface TransportOptions {
  credentials: Credentials;
  /** Most connections for calls at a time, watches aside; 32 by default. */
  connections?: number;
  userAgent?: string;
  clock?: Clock;
  random?: () => number;
  metrics?: RuntimeMetrics;
}

/** Whether writes may be sent, and the set through which those under way are cut off. */
export interface WriteGate {
  allowed(): boolean;
  cancels: Set<(error: Error) => void>;
}

export interface Call {
  method: string;
  path: string;
  body?: string | undefined;
  contentType?: string | undefined;
  accept?: string | undefined;
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  gate?: WriteGate | undefined;
}

export interface Transport {
  /** Resolves to the body of a 2xx answer; see `KubeClient` for what is tried again. */
  send(call: Call): Promise<string>;
  /** GETs a stream; resolves when the server ends it. Never tried again. */
  stream(path: string, signal: AbortSignal | undefined, onChunk: (chunk: Buffer) => void): Promise<void>;
  readonly stats: { readonly connectionsOpened: number; readonly requests: number };
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const TRIES = 4;
const retryBackoff = { baseMs: 200, capMs: 5_000 };

/** Opens no connection yet, but reads the credentials, so that a wrong path or missing file is known at once. */
export async function createTransport(options: TransportOptions): Promise<Transport> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const metrics = options.metrics ?? noMetrics;
  const userAgent = options.userAgent ?? 'millwright';
  const connections = new Connections(options.credentials, clock, options.connections ?? 32);
  await connections.renew();
  let requests = 0;

  async function once(call: Call, timeoutMs: number, onChunk?: Exchange['onChunk']): Promise<Answer> {
    const current = connections.line();
    const line = current instanceof Promise ? await current : current;
    const headers: Record<string, string> = { accept: call.accept ?? 'application/json', 'user-agent': userAgent };
    Object.assign(headers, line.headers);
    if (call.body !== undefined) headers['content-type'] = call.contentType ?? 'application/json';
    const { method, body, signal } = call;
    const cancels = call.gate?.cancels;
    const started = clock.now();
    requests += 1;
    let status = 0;
    try {
      const path = line.prefix + call.path;
      const pool = onChunk === undefined ? line.calls : line.watches;
      const answer = await exchange(pool, clock, { method, path, headers, body, timeoutMs, cancels, signal, onChunk });
      status = answer.status;
      return answer;
    } finally {
      if (onChunk === undefined) metrics.apiRequest(method, status, (clock.now() - started) / 1000);
    }
  }

  /** Milliseconds to wait before the next try, or undefined when the failure is to be reported. */
  function pauseBefore(call: Call, failure: KubeError, sent: boolean, tries: number, leftMs: number) {
    if (tries >= TRIES) return undefined;
    const harmless = call.method === 'GET' || call.method === 'DELETE';
    const refused = failure.status === 429 && failure.retryAfterMs !== undefined;
    const unanswered = failure.status === 0 && failure.reason !== 'Aborted' && (harmless || !sent);
    const unavailable = harmless && failure.status >= 500 && failure.retryAfterMs !== undefined;
    if (!refused && !unanswered && !unavailable) return undefined;
    const pause = (failure.retryAfterMs ?? 0) + fullJitter(retryBackoff, tries - 1, random);
    return pause < leftMs ? pause : undefined;
  }

  async function send(call: Call): Promise<string> {
    const deadline = clock.now() + (call.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    let renewed = false;
    for (let tries = 1; ; tries += 1) {
      let failure: KubeError;
      let sent = true;
      try {
        const answer = await once(call, Math.max(1, deadline - clock.now()));
        if (answer.status >= 200 && answer.status < 300) return answer.text;
        if (answer.status === 401 && !renewed) {
          renewed = true;
          await connections.renew();
          continue;
        }
        failure = errorFromResponse(answer.status, answer.retryAfter, answer.text, call);
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error;
        failure = unanswered(error, call);
        sent = error.sent;
      }
      const pause = pauseBefore(call, failure, sent, tries, deadline - clock.now());
      if (pause === undefined) throw failure;
      await sleep(clock, pause, call.signal);
      if (call.gate !== undefined && !call.gate.allowed())
        throw new WritesForbiddenError(`${call.method} ${call.path}`);
    }
  }

  return {
    send,
    stream: async (path, signal, onChunk) => {
      const call: Call = { method: 'GET', path, signal };
      try {
        const answer = await once(call, 0, onChunk);
        if (answer.status === 401) await connections.renew();
        if (answer.status !== 200) throw errorFromResponse(answer.status, answer.retryAfter, answer.text, call);
      } catch (error) {
        throw error instanceof ExchangeError ? unanswered(error, call) : error;
      }
    },
    stats: {
      get connectionsOpened() {
        return connections.opened;
      },
      get requests() {
        return requests;
      },
    },
    close: () => connections.close(),
  };
}

function unanswered(error: ExchangeError, call: Call): KubeError {
  return new KubeError({ status: 0, reason: error.code, detail: error.message, cause: error }, call);
}
