import { type Logger, silentLogger } from '@millwright/otel';
import type { BackoffPolicy } from './backoff.ts';
import { type Clock, sleep, systemClock } from './clock.ts';
import { isConflict, KubeError, TerminalError, WritesForbiddenError } from './errors.ts';
import { noMetrics, type ReconcileOutcome, type RuntimeMetrics } from './metrics.ts';
import { WorkQueue } from './queue.ts';

/** What a reconcile asks for: nothing, or to be called again after a while. */
// biome-ignore lint/suspicious/noConfusingVoidType: a reconciler that wants nothing returns nothing
export type ReconcileResult = { requeueAfterMs?: number } | void;

export interface ReconcileContext {
  /** Aborts when the controller stops: give it to calls that may be long. */
  signal: AbortSignal;
  /** Failures of this key in a row so far. */
  failures: number;
}

export interface ControllerOptions {
  name: string;
  /** Keys reconciled at the same time. */
  workers: number;
  /** Makes what is so for a key more like what is wanted. Never called twice at once for one key. */
  reconcile: (key: string, context: ReconcileContext) => Promise<ReconcileResult>;
  queue?: WorkQueue;
  backoff?: BackoffPolicy;
  clock?: Clock;
  random?: () => number;
  logger?: Logger;
  metrics?: RuntimeMetrics;
}

export interface Controller {
  readonly queue: WorkQueue;
  enqueue(key: string): void;
  /** Takes no more keys and waits for running reconciles, which see their signal abort after `graceMs` (10,000). */
  stop(options?: { graceMs?: number }): Promise<void>;
}

/**
 * Starts the loop of one reconciler, which behaves as controller-runtime's does: success forgets a key's failures and delays,
 * `requeueAfterMs` delays it anew, an error backs off per key (or as long as the server asks), a `TerminalError` waits for
 * the next change. Whatever a reconcile throws costs that key's turn and nothing else.
 */
export function startController(options: ControllerOptions): Controller {
  const clock = options.clock ?? systemClock;
  const logger = (options.logger ?? silentLogger).child({ controller: options.name });
  const metrics = options.metrics ?? noMetrics;
  const stopping = new AbortController();
  const queue =
    options.queue ??
    new WorkQueue({
      name: options.name,
      clock,
      metrics,
      ...(options.random === undefined ? {} : { random: options.random }),
      ...(options.backoff === undefined ? {} : { backoff: options.backoff }),
    });

  async function work(): Promise<void> {
    for (;;) {
      const next = queue.take();
      const key = typeof next === 'string' ? next : await next;
      if (key === undefined) return;
      await turn(key);
    }
  }

  async function turn(key: string): Promise<void> {
    const started = clock.now();
    let outcome: ReconcileOutcome = 'success';
    try {
      const result = await options.reconcile(key, { signal: stopping.signal, failures: queue.failures(key) });
      queue.forget(key);
      // What this pass asks for is all there is to do later. A key whose object is gone would otherwise stay for as long as the object might have lived.
      queue.withdraw(key);
      if (result?.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs);
    } catch (error) {
      outcome = failed(key, error);
    }
    metrics.reconcile(options.name, outcome, (clock.now() - started) / 1000, key);
    queue.done(key);
  }

  function failed(key: string, error: unknown): 'conflict' | 'error' | 'terminal' {
    if (isConflict(error)) {
      // A lost race is no sign of trouble: the fresh copy is a watch event away, and the first backoff is about as long.
      queue.addWithBackoff(key);
      return 'conflict';
    }
    if (error instanceof TerminalError || error instanceof WritesForbiddenError) {
      queue.forget(key);
      logger.error('reconcile failed for good', { key, error });
      return 'terminal';
    }
    const retryAfterMs = error instanceof KubeError ? error.retryAfterMs : undefined;
    const retryInMs = queue.addWithBackoff(key, retryAfterMs);
    logger.warn('reconcile failed', { key, failures: queue.failures(key), retryInMs: Math.round(retryInMs), error });
    return 'error';
  }

  const workers = Array.from({ length: options.workers }, work);

  return {
    queue,
    enqueue: (key) => queue.add(key),
    stop: async ({ graceMs = 10_000 } = {}) => {
      queue.shutDown();
      const ended = Promise.all(workers);
      const patience = new AbortController();
      const late = sleep(clock, graceMs, patience.signal).then(() => stopping.abort());
      await ended;
      patience.abort();
      await late;
    },
  };
}

/** The result of a reconcile with several wishes to be called again, in milliseconds: the earliest counts. */
export function soonest(...delays: (number | undefined)[]): { requeueAfterMs: number } | undefined {
  const ms = Math.min(...delays.map((delay) => delay ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(ms) ? { requeueAfterMs: Math.max(0, ms) } : undefined;
}
