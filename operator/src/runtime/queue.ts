import { type BackoffPolicy, fullJitter } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { DelayHeap } from './delay-heap.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';

export interface WorkQueueOptions {
  /** Names the queue in metrics. */
  name: string;
  clock?: Clock;
  random?: () => number;
  /** For `addWithBackoff`; 20 ms doubling to 5 minutes by default. */
  backoff?: BackoffPolicy;
  metrics?: RuntimeMetrics;
}

/**
 * Keys to reconcile, first come first served. A key waits at most once however often it is added, and is with at most one
 * worker at a time: added while in flight, it waits again when it is done (as in client-go's workqueue).
 */
export class WorkQueue {
  readonly name: string;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #backoff: BackoffPolicy;
  readonly #metrics: RuntimeMetrics;
  /** Waiting keys in order, each with the time it was due. A Map is a queue with membership test and O(1) head removal. */
  readonly #waiting = new Map<string, number>();
  /** In flight; the value is when it was added again meanwhile, if it was. */
  readonly #inFlight = new Map<string, number | undefined>();
  readonly #delayed = new DelayHeap();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #onDrained: (() => void)[] = [];
  #timer: { dueAt: number; cancel: () => void } | undefined;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.name = options.name;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#backoff = options.backoff ?? { baseMs: 20, capMs: 300_000 };
    this.#metrics = options.metrics ?? noMetrics;
  }

  /** Keys ready to be taken; delayed ones and those in flight do not count. */
  get length(): number {
    return this.#waiting.size;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  get delayed(): number {
    return this.#delayed.size;
  }

  /** Makes a key ready. Does nothing when it already waits, or after `shutDown`. */
  add(key: string): void {
    this.#ready(key, this.#clock.now());
  }

  /** Adds a key after `ms`; of several delays of one key the earliest holds. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    if (!(ms > 0)) {
      this.add(key);
      return;
    }
    this.#delayed.add(key, this.#clock.now() + ms);
    this.#schedule();
  }

  /**
   * Adds a key after its own exponential backoff with full jitter, and counts one failure more.
   * @param atLeastMs a floor, such as a Retry-After
   * @returns the delay in milliseconds
   */
  addWithBackoff(key: string, atLeastMs = 0): number {
    const failures = this.failures(key);
    this.#failures.set(key, failures + 1);
    this.#metrics.queueRetry(this.name);
    const delay = atLeastMs + fullJitter(this.#backoff, failures, this.#random);
    this.addAfter(key, delay);
    return delay;
  }

  /** Failures of a key in a row. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Ends a key's row of failures: its next backoff starts anew. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Takes a key's delay back, that of a backoff too. */
  withdraw(key: string): void {
    this.#delayed.remove(key);
  }

  /** The next key, as soon as there is one; undefined once the queue is shut down. Each needs its `done`. */
  take(): Promise<string | undefined> | string | undefined {
    if (this.#closed) return undefined;
    const first = this.#waiting.entries().next();
    if (first.done) return new Promise((resolve) => this.#takers.push(resolve));
    const [key, since] = first.value;
    this.#waiting.delete(key);
    this.#hand(key, since);
    return key;
  }

  /** Ends the work on a key that `take` gave. */
  done(key: string): void {
    const again = this.#inFlight.get(key);
    if (!this.#inFlight.delete(key)) throw new TypeError(`${key} is not in flight`);
    if (again !== undefined) this.#ready(key, again);
    if (this.#inFlight.size === 0) for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  /** Takes no more keys and gives none; waiting and delayed ones are dropped, those in flight may still end. */
  shutDown(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#waiting.clear();
    this.#delayed.clear();
    this.#failures.clear();
    this.#metrics.queueDepth(this.name, 0);
    for (const resolve of this.#takers.splice(0)) resolve(undefined);
  }

  /** Resolves when nothing is in flight. */
  drained(): Promise<void> {
    if (this.#inFlight.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onDrained.push(resolve));
  }

  #ready(key: string, since: number): void {
    if (this.#closed || this.#waiting.has(key)) return;
    if (this.#inFlight.has(key)) {
      if (this.#inFlight.get(key) === undefined) this.#inFlight.set(key, since);
      return;
    }
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      this.#hand(key, since);
      taker(key);
      return;
    }
    this.#waiting.set(key, since);
    this.#metrics.queueDepth(this.name, this.#waiting.size);
  }

  #hand(key: string, since: number): void {
    this.#inFlight.set(key, undefined);
    this.#metrics.queueDepth(this.name, this.#waiting.size);
    this.#metrics.queueLatency(this.name, (this.#clock.now() - since) / 1000);
  }

  /** One timer serves all delays: the earliest one's. */
  #schedule(): void {
    const dueAt = this.#delayed.nextDue;
    if (dueAt === undefined || (this.#timer !== undefined && this.#timer.dueAt <= dueAt)) return;
    this.#timer?.cancel();
    const cancel = this.#clock.after(Math.max(0, dueAt - this.#clock.now()), () => {
      this.#timer = undefined;
      const now = this.#clock.now();
      for (let due = this.#delayed.takeDue(now); due !== undefined; due = this.#delayed.takeDue(now)) {
        this.#ready(due.key, due.dueAt);
      }
      this.#schedule();
    });
    this.#timer = { dueAt, cancel };
  }
}
