import type { Dispatcher } from 'undici';
import type { Clock } from './clock.ts';

/** One HTTP request as it goes over the wire. */
export interface Exchange {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** Milliseconds until the whole answer must be there; 0 for streams, which others watch over. */
  timeoutMs: number;
  /** Every function in it cancels one exchange: whoever owns the set can cut off all that are under way. */
  cancels?: Set<(error: Error) => void> | undefined;
  signal?: AbortSignal | undefined;
  /** Sees the body of a 2xx answer piece by piece; without it the answer's text is collected. */
  onChunk?: ((chunk: Buffer) => void) | undefined;
}

export interface Answer {
  status: number;
  retryAfter: string | undefined;
  /** The body; '' when it went to `onChunk`. */
  text: string;
}

/** No answer came. `sent` is false when the request certainly never left this process. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  readonly code: string;
  readonly sent: boolean;

  constructor(code: string, message: string, sent: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.sent = sent;
  }
}

/**
 * Sends one request. It uses undici's dispatch directly: `request` would build a stream, a promise and an abort listener
 * for each answer, and all that is wanted here is its text.
 * @throws ExchangeError when no whole answer came, or the error that a member of `cancels` was called with
 */
export function exchange(dispatcher: Dispatcher, clock: Clock, request: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (request.signal?.aborted) {
      reject(aborted(false));
      return;
    }
    const handler = new Collector(request, clock, resolve, reject);
    try {
      dispatcher.dispatch(
        {
          path: request.path,
          method: request.method,
          headers: request.headers,
          body: request.body ?? null,
          // Said outright, for undici closes the connection after a DELETE with a body unless told not to.
          reset: false,
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        handler,
      );
    } catch (error) {
      handler.fail(toExchangeError(error, false));
    }
  });
}

class Collector implements Dispatcher.DispatchHandler {
  readonly #request: Exchange;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: Error) => void;
  readonly #cancel: (error: Error) => void;
  readonly #abort: (() => void) | undefined;
  readonly #stopTimer: (() => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #failure: Error | undefined;
  #settled = false;
  #status = 0;
  #retryAfter: string | undefined;
  #stream: ((chunk: Buffer) => void) | undefined;
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;

  constructor(request: Exchange, clock: Clock, resolve: (answer: Answer) => void, reject: (error: Error) => void) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#cancel = (error) => this.fail(error);
    request.cancels?.add(this.#cancel);
    if (request.signal !== undefined) {
      this.#abort = () => this.fail(aborted(this.#controller !== undefined));
      request.signal.addEventListener('abort', this.#abort, { once: true });
    }
    if (request.timeoutMs > 0) {
      this.#stopTimer = clock.after(request.timeoutMs, () =>
        this.fail(
          new ExchangeError('Timeout', `no answer within ${request.timeoutMs} ms`, this.#controller !== undefined),
        ),
      );
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // A request can be cancelled while it waits for a connection: then it must not be sent at all.
    if (this.#failure !== undefined) controller.abort(this.#failure);
    else this.#controller = controller;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    const retryAfter = headers['retry-after'];
    this.#retryAfter = typeof retryAfter === 'string' ? retryAfter : undefined;
    if (status >= 200 && status < 300) this.#stream = this.#request.onChunk;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    if (this.#stream !== undefined) this.#stream(chunk);
    else if (this.#first === undefined) this.#first = chunk;
    else {
      this.#rest ??= [this.#first];
      this.#rest.push(chunk);
    }
  }

  onResponseEnd(): void {
    if (this.#settled) return;
    this.#settle();
    const body = this.#rest === undefined ? this.#first : Buffer.concat(this.#rest);
    this.#resolve({ status: this.#status, retryAfter: this.#retryAfter, text: body?.toString('utf8') ?? '' });
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.fail(toExchangeError(error, this.#controller !== undefined));
  }

  fail(error: Error): void {
    if (this.#settled) return;
    this.#settle();
    this.#failure = error;
    this.#controller?.abort(error);
    this.#reject(error);
  }

  #settle(): void {
    this.#settled = true;
    this.#stopTimer?.();
    this.#request.cancels?.delete(this.#cancel);
    if (this.#abort !== undefined) this.#request.signal?.removeEventListener('abort', this.#abort);
  }
}

function aborted(sent: boolean): ExchangeError {
  return new ExchangeError('Aborted', 'the caller gave up', sent);
}

function toExchangeError(error: unknown, sent: boolean): ExchangeError {
  if (error instanceof ExchangeError) return error;
  const code = (error as { code?: unknown } | undefined)?.code;
  const message = error instanceof Error ? error.message : String(error);
  return new ExchangeError(typeof code === 'string' ? code : 'NetworkError', message || String(code), sent, error);
}
