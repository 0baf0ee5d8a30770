import { type Broker, InvalidMessageError, targets } from '@millwright/broker';
import { eventMessage, type MillwrightResource } from '@millwright/crds';
import type { Logger } from '@millwright/otel';
import { type Clock, fullJitter } from './runtime/index.ts';
import { snapshotOf } from './snapshot.ts';

/** Snapshots that wait for their confirmation at the same time, so that what is dispatched never waits behind more. */
const NEWS_IN_FLIGHT = 64;
/** Of those that are only said once more: a new leader has one for each object, and better things to do. */
const REPEATS_IN_FLIGHT = 4;
const retryPause = { baseMs: 500, capMs: 30_000 };

interface Report {
  object: MillwrightResource;
  /** RFC 3339. */
  at: string;
  deleted: boolean;
}

/**
 * Publishes snapshots for the recorder, a few at a time. Level-triggered: only the latest state of an object counts, so one report per object
 * waits while the broker is away or refuses, and a new leader says everything once more.
 */
export class History {
  /** By uid, in the order of their publication. */
  readonly #news = new Map<string, Report>();
  readonly #repeats = new Map<string, Report>();
  readonly #broker: Broker;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #unfollow: () => void;
  #inFlight = 0;
  #failures = 0;
  #cancelPause: (() => void) | undefined;
  #stopped = false;

  constructor(options: { broker: Broker; logger: Logger; clock: Clock; random: () => number }) {
    this.#broker = options.broker;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#unfollow = this.#broker.onStateChange((state) => {
      if (state === 'connected') this.#resume();
    });
  }

  /** Says how an object is, or that it is gone. */
  record(object: MillwrightResource, deleted = false): void {
    const { uid } = object.metadata;
    this.#repeats.delete(uid);
    this.#news.set(uid, this.#report(object, deleted));
    this.#pump();
  }

  /** Says once more how an object is, when there is nothing new to say. */
  repeat(object: MillwrightResource): void {
    const { uid } = object.metadata;
    if (!this.#news.has(uid)) this.#repeats.set(uid, this.#report(object, false));
    this.#pump();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPause?.();
    this.#unfollow();
  }

  #report(object: MillwrightResource, deleted: boolean): Report {
    return { object, deleted, at: new Date(this.#clock.wall()).toISOString() };
  }

  #pump(): void {
    while (!this.#stopped && !this.#cancelPause && this.#broker.connected) {
      const isNews = this.#news.size > 0;
      const queue = isNews ? this.#news : this.#repeats;
      const [next] = queue;
      if (!next || this.#inFlight >= (isNews ? NEWS_IN_FLIGHT : REPEATS_IN_FLIGHT)) return;
      queue.delete(next[0]);
      this.#inFlight++;
      void this.#send(next[1], queue);
    }
  }

  async #send(report: Report, queue: Map<string, Report>): Promise<void> {
    const { object, at, deleted } = report;
    const event = snapshotOf(object, at, deleted);
    try {
      await this.#broker.publish(targets.event('snapshot', event.namespace), eventMessage, event, {
        messageId: event.id,
      });
      this.#failures = 0;
    } catch (error) {
      this.#failed(report, queue, error);
    }
    this.#inFlight--;
    this.#pump();
  }

  #failed(report: Report, queue: Map<string, Report>, error: unknown): void {
    const { kind, metadata } = report.object;
    const about = { kind, name: metadata.name, error: String(error) };
    if (error instanceof InvalidMessageError) {
      this.#logger.error('a snapshot cannot be a message, and is missing in the history', about);
      return;
    }
    // Unless something newer is to be said by now.
    if (!this.#news.has(metadata.uid)) queue.set(metadata.uid, report);
    if (this.#cancelPause || this.#stopped) return;
    const pauseMs = fullJitter(retryPause, this.#failures++, this.#random);
    this.#logger.warn('snapshots wait for the broker', { ...about, pauseMs: Math.round(pauseMs) });
    this.#cancelPause = this.#clock.after(pauseMs, () => this.#resume());
  }

  #resume(): void {
    this.#cancelPause?.();
    this.#cancelPause = undefined;
    this.#pump();
  }
}
