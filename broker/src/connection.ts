/**
 * One AMQP connection that comes back by itself.
 *
 * amqplib's own recovery is not used: while its `setup` runs, a connection has no listener for `error` (which ends the process) nor
 * for `close` (which leaves a dead connection in use), and it resets its backoff on connections that live for a moment only.
 */
import { connect as amqpConnect, type ChannelModel } from 'amqplib';
import { fullJitter, sleep } from './backoff.ts';
import { BrokerError, ClosedError, messageOf, PublishError, RefusedError } from './errors.ts';
import type { Log } from './types.ts';
import { tolerateUnreadableHeaders } from './unreadable.ts';

const HEARTBEAT_SECONDS = 10;
const HANDSHAKE_TIMEOUT_MS = 20_000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
/** A connection that ends sooner counts as one more failed attempt. */
const STABLE_AFTER_MS = 5_000;
/** A refusal may be passing while a broker starts or a user is being created; after so long at the start it is taken as final. */
const REFUSAL_PATIENCE_MS = 5_000;
const GOODBYE_MS = 2_000;

export interface LinkOptions {
  url: string;
  name: string;
  log: Log;
  recoverForMs: number;
  /** Runs on every new connection before anyone else uses it. */
  setup: (model: ChannelModel) => Promise<void>;
  onChange: () => void;
}

export interface LinkListener {
  up(model: ChannelModel): void;
  down?(reason: string): void;
  unblocked?(): void;
}

export interface Link {
  /** Set while connected. */
  readonly model: ChannelModel | undefined;
  readonly blocked: boolean;
  /** Settles when the link has ended: with an error when it gave up. Never rejects. */
  readonly ended: Promise<Error | undefined>;
  /** `up` is called at once when connected already. Returns a function that removes the listener. */
  listen(listener: LinkListener): () => void;
  /** Resolves with the connection, waiting for one if need be (for ever without a limit); rejects with PublishError (nothing was sent). */
  ready(timeoutMs?: number): Promise<ChannelModel>;
  close(): Promise<void>;
}

/** Starts connecting and goes on until closed; `ended` tells if that was in vain. */
export function openLink(options: LinkOptions): Link {
  const { log, name } = options;
  const listeners = new Set<LinkListener>();
  const stop = new AbortController();
  let model: ChannelModel | undefined;
  let blocked = false;

  const setBlocked = (next: boolean) => {
    if (blocked === next) return;
    blocked = next;
    options.onChange();
    if (!next) for (const listener of [...listeners]) listener.unblocked?.();
  };

  /** At once, not in a later microtask: who fails because of the loss must find that there is no connection. */
  const lost = (reason: string) => {
    model = undefined;
    setBlocked(false);
    for (const listener of [...listeners]) listener.down?.(reason);
    options.onChange();
  };

  /** Connects, serves until the connection ends, and returns why it ended. */
  async function live(): Promise<string> {
    const next = await withinTime(
      amqpConnect(withHeartbeat(options.url), {
        noDelay: true,
        keepAlive: true,
        clientProperties: { connection_name: name, product: 'millwright' },
      }),
    );
    tolerateUnreadableHeaders(next);
    let reason = 'closed';
    let alive = true;
    next.on('error', (error) => {
      reason = messageOf(error);
    });
    const gone = new Promise<void>((resolve) => {
      next.on('close', () => {
        alive = false;
        if (model === next) lost(reason);
        resolve();
      });
    });
    next.on('blocked', () => setBlocked(true));
    next.on('unblocked', () => setBlocked(false));
    try {
      await Promise.race([options.setup(next), gone]);
    } catch (error) {
      await closeQuietly(next);
      throw error;
    }
    if (!alive) throw new BrokerError(`connection ended while it was set up: ${reason}`);
    if (stop.signal.aborted) {
      await closeQuietly(next);
      return reason;
    }
    model = next;
    log('info', 'connected to the broker', { connection: name });
    options.onChange();
    for (const listener of [...listeners]) listener.up(next);
    await gone;
    return reason;
  }

  async function run(): Promise<Error | undefined> {
    let attempt = 0;
    let everUp = false;
    let downSince = performance.now();
    for (;;) {
      const started = performance.now();
      let failure: unknown;
      try {
        const reason = await live();
        everUp = true;
        downSince = performance.now();
        if (downSince - started > STABLE_AFTER_MS) attempt = 0;
        failure = new BrokerError(reason);
      } catch (error) {
        failure = error;
      }
      if (stop.signal.aborted) return undefined;
      const downFor = performance.now() - downSince;
      if (!everUp && isRefusal(failure) && downFor > REFUSAL_PATIENCE_MS) {
        return new RefusedError(`the broker refuses: ${messageOf(failure)}`, { cause: failure });
      }
      if (downFor > options.recoverForMs) {
        return new BrokerError(
          `no connection to the broker for ${Math.round(downFor / 1000)} s: ${messageOf(failure)}`,
          {
            cause: failure,
          },
        );
      }
      const delay = fullJitter(attempt++, FIRST_DELAY_MS, MAX_DELAY_MS);
      log('warn', 'no connection to the broker', {
        connection: name,
        error: messageOf(failure),
        retryInMs: Math.round(delay),
      });
      await sleep(delay, stop.signal);
      if (stop.signal.aborted) return undefined;
    }
  }

  const ended = run().then((error) => {
    stop.abort();
    return error;
  });

  return {
    get model() {
      return model;
    },
    get blocked() {
      return blocked;
    },
    ended,
    listen(listener) {
      listeners.add(listener);
      if (model) listener.up(model);
      return () => listeners.delete(listener);
    },
    ready(timeoutMs) {
      if (model) return Promise.resolve(model);
      return new Promise((resolve, reject) => {
        const settle = (result: ChannelModel | Error) => {
          clearTimeout(timer);
          listeners.delete(listener);
          if (result instanceof Error) reject(result);
          else resolve(result);
        };
        const timer =
          timeoutMs === undefined
            ? undefined
            : setTimeout(() => settle(new PublishError('no connection to the broker', 'no')), timeoutMs);
        const listener: LinkListener = { up: settle };
        listeners.add(listener);
        ended.then((error) => settle(error ?? new ClosedError()));
      });
    },
    async close() {
      stop.abort();
      const last = model;
      if (!last) return;
      // First, so that nobody takes the end of its channel for a fault to recover from.
      lost('closed');
      await closeQuietly(last);
    },
  };
}

/** The user of an AMQP URL, as amqplib understands it. */
export function userOf(url: string): string {
  const { username } = new URL(url);
  return username === '' ? 'guest' : decodeURIComponent(username);
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
  return parsed.href;
}

/** amqplib's own timeout starts anew with every byte, and never ends for a socket that was destroyed in the middle of the handshake. */
function withinTime(connecting: Promise<ChannelModel>): Promise<ChannelModel> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(new BrokerError('the broker does not answer'));
    }, HANDSHAKE_TIMEOUT_MS);
    connecting.then(
      (model) => {
        clearTimeout(timer);
        if (!late) return resolve(model);
        model.on('error', () => {});
        closeQuietly(model);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** Says goodbye, but does not wait long for a peer that is gone already. */
async function closeQuietly(model: ChannelModel): Promise<void> {
  const patience = new AbortController();
  await Promise.race([model.close().catch(() => {}), sleep(GOODBYE_MS, patience.signal)]);
  patience.abort();
}

/**
 * Wrong credentials, virtual host, rights or queue arguments. Refused channels carry AMQP's code; a refused handshake does not, so its
 * text is all there is to go by (amqplib 2.3.1, lib/connection.js, `afterStartOk` and `expect`).
 */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  if (code === 403 || code === 404 || code === 406) return true;
  return /^Handshake terminated by server: 403|^Expected ConnectionOpenOk; got <ConnectionClose/.test(error.message);
}
