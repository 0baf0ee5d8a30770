import { randomUUID } from 'node:crypto';
import { type Logger, silentLogger } from '@millwright/otel';
import { type Clock, sleep, systemClock } from './clock.ts';
import type { KubeClient } from './kube.ts';
import { microTime } from './lease.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';
import { defineResource, type KubeObject } from './resource.ts';
import { type Rate, TokenBucket } from './token-bucket.ts';

interface ObjectReference {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  uid: string;
}

/** `events.k8s.io/v1` Event. */
export interface KubeEvent extends KubeObject {
  eventTime: string;
  reportingController: string;
  reportingInstance: string;
  action: string;
  reason: string;
  regarding: ObjectReference;
  related?: ObjectReference;
  note: string;
  type: 'Normal' | 'Warning';
  series?: { count: number; lastObservedTime: string };
}

export const kubeEvents = defineResource<KubeEvent>({
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
});

export interface EventRecorderOptions {
  kube: KubeClient;
  /** A qualified name, such as `millwright.dev/operator`. */
  component: string;
  /** This process, such as its pod's name. */
  instance: string;
  /** Events about one object, per type; by default 6 at once and one a minute. */
  perObject?: Rate;
  /** Events about anything, per type; by default 40 at once and 2 a second. */
  global?: Rate;
  /** Events that may wait to be sent; 200 by default. */
  queueLimit?: number;
  /** How long an event waits before it is sent, so that it does not compete with the writes it tells of; 250 ms. */
  delayMs?: number;
  clock?: Clock;
  logger?: Logger;
  metrics?: RuntimeMetrics;
}

export interface EventDetails {
  /** What was done, in one word; the reason by default. */
  action?: string;
  /** A second object that plays a part. */
  related?: KubeObject;
}

/** Tells people, through `kubectl describe`, what happens to an object. */
export interface EventRecorder {
  normal(regarding: KubeObject, reason: string, note: string, details?: EventDetails): void;
  warning(regarding: KubeObject, reason: string, note: string, details?: EventDetails): void;
  /** Sends what waits, for `graceMs` (2,000) at most, then drops everything. */
  stop(options?: { graceMs?: number }): Promise<void>;
}

interface Told {
  event: KubeEvent;
  count: number;
  lastAt: number;
  /** Repetitions the API server has been told of. */
  reported: number;
}

/** Objects and events remembered for limits and repetitions; the oldest are forgotten beyond that. */
const REMEMBERED = 2_000;
/** A repetition within this time is counted on the first event; client-go's series last as long. */
const SERIES_MS = 360_000;
const SERIES_FLUSH_MS = 60_000;
/** The API refuses a note of more than 1,024 bytes. */
const NOTE_BYTES = 1_000;

/**
 * A recorder that never blocks, never throws and never lets Events become load: every Event is an API write, and writes
 * limit how fast tasks go. What exceeds the rates or the queue is dropped and counted; a repetition costs no write but one
 * a minute that updates the count. Warnings have rates of their own, so a burst of normal events cannot silence them.
 */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { kube, component, instance } = options;
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const metrics = options.metrics ?? noMetrics;
  const perObject = options.perObject ?? { burst: 6, perSecond: 1 / 60 };
  const globalRate = options.global ?? { burst: 40, perSecond: 2 };
  const queueLimit = options.queueLimit ?? 200;
  const told = new Map<string, Told>();
  const buckets = new Map<string, TokenBucket>();
  const overall = {
    Normal: new TokenBucket(globalRate, clock.now()),
    Warning: new TokenBucket(globalRate, clock.now()),
  };
  const queue: Told[] = [];
  const stopping = new AbortController();
  let pumping: Promise<void> | undefined;
  let cancelFlush: (() => void) | undefined;

  function record(
    type: KubeEvent['type'],
    about: KubeObject,
    reason: string,
    note: string,
    details: EventDetails,
  ): void {
    if (stopping.signal.aborted) return;
    const now = clock.now();
    const key = `${about.metadata.uid}\0${type}\0${reason}\0${note}`;
    const known = told.get(key);
    if (known !== undefined && now - known.lastAt < SERIES_MS) {
      known.count += 1;
      known.lastAt = now;
      cancelFlush ??= clock.after(SERIES_FLUSH_MS, flushSeries);
      return;
    }
    const bucket = remembered(buckets, `${about.metadata.uid}\0${type}`, () => new TokenBucket(perObject, now));
    if (!bucket.has(now) || !overall[type].has(now) || queue.length >= queueLimit) {
      metrics.eventDropped(queue.length >= queueLimit ? 'queue' : 'rate');
      return;
    }
    bucket.take();
    overall[type].take();
    const entry = { event: draft(type, about, reason, note, details), count: 1, lastAt: now, reported: 0 };
    told.delete(key);
    remembered(told, key, () => entry);
    enqueue(entry);
  }

  function draft(
    type: KubeEvent['type'],
    about: KubeObject,
    reason: string,
    note: string,
    details: EventDetails,
  ): KubeEvent {
    const namespace = about.metadata.namespace || 'default';
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace, name: `${about.metadata.name.slice(0, 200)}.${randomUUID()}` } as KubeEvent['metadata'],
      eventTime: microTime(clock.wall()),
      reportingController: component,
      reportingInstance: instance.slice(0, 128),
      action: details.action ?? reason,
      reason,
      regarding: referenceTo(about),
      ...(details.related === undefined ? {} : { related: referenceTo(details.related) }),
      note: clip(note),
      type,
    };
  }

  function flushSeries(): void {
    cancelFlush = undefined;
    for (const entry of told.values()) {
      const sent = entry.reported > 0 && !queue.includes(entry);
      if (sent && entry.count > entry.reported && queue.length < queueLimit) enqueue(entry);
    }
  }

  function enqueue(entry: Told): void {
    queue.push(entry);
    pumping ??= pump().finally(() => {
      pumping = undefined;
    });
  }

  async function pump(): Promise<void> {
    await sleep(clock, options.delayMs ?? 250, stopping.signal);
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      try {
        await send(entry);
      } catch (error) {
        metrics.eventDropped('error');
        logger.debug('an Event could not be written', { error, reason: entry.event.reason });
      }
    }
  }

  async function send(entry: Told): Promise<void> {
    const { event, count } = entry;
    const series = { count, lastObservedTime: microTime(clock.wall()) };
    if (entry.reported === 0) {
      await kube.create(kubeEvents, count > 1 ? { ...event, series } : event, { timeoutMs: 5_000 });
    } else {
      await kube.patch(kubeEvents, event.metadata, { series }, { timeoutMs: 5_000 });
    }
    entry.reported = count;
  }

  return {
    normal: (about, reason, note, details = {}) => record('Normal', about, reason, note, details),
    warning: (about, reason, note, details = {}) => record('Warning', about, reason, note, details),
    stop: async ({ graceMs = 2_000 } = {}) => {
      stopping.abort();
      cancelFlush?.();
      const enough = new AbortController();
      const patience = sleep(clock, graceMs, enough.signal);
      await Promise.race([pumping, patience]);
      enough.abort();
      queue.length = 0;
    },
  };
}

function clip(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= NOTE_BYTES) return note;
  // A character that the cut goes through decodes to U+FFFD.
  return `${bytes
    .subarray(0, NOTE_BYTES)
    .toString('utf8')
    .replace(/\uFFFD$/, '')}…`;
}

function referenceTo(object: KubeObject): ObjectReference {
  const { namespace, name, uid } = object.metadata;
  return { apiVersion: object.apiVersion, kind: object.kind, namespace, name, uid };
}

/** The entry of a map that forgets its oldest entries. */
function remembered<V>(map: Map<string, V>, key: string, create: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = create();
  map.set(key, value);
  if (map.size > REMEMBERED) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
  return value;
}
