import { setTimeout as delay } from 'node:timers/promises';
import { type Broker, type Consumer, type Delivery, topology } from '@millwright/broker';
import { type EventMessage, eventMessage } from '@millwright/crds';
import type { Logger, Metrics } from '@millwright/otel';
import { type Store, StoreError } from '@millwright/supabase';
import { defect } from './defects.ts';
import { createIntake } from './intake.ts';

export interface RecorderOptions {
  readonly broker: Broker;
  readonly store: Pick<Store, 'record' | 'ping'>;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Messages in one transaction, at most. */
  readonly batchSize: number;
  readonly batchWaitMs: number;
  /** Whether the database answers; told on every change, first when it has answered for the first time. */
  readonly onStoreChange?: (answers: boolean) => void;
  /**
   * How long deliveries are held while the database is away; then they go back to their queue until it answers. RabbitMQ closes the
   * channel of whoever holds them for 30 minutes. One minute unless told.
   */
  readonly holdMs?: number;
  /** Upper bound of the pause between two tries; 10 s unless told. */
  readonly maxPauseMs?: number;
}

export interface Recorder {
  /** Settles when it was closed, with an error when RabbitMQ refuses us for good. Never rejects. */
  readonly ended: Promise<Error | undefined>;
  /** Finishes the write under way; what is not recorded yet goes back to its queue. */
  close(): Promise<void>;
}

/**
 * Writes every event into the history: consumes `events.recorder` in batches and acknowledges after the write. While the database is
 * away nothing is acknowledged and nothing lost; a message that cannot be stored goes to the dead letters and takes no other with it.
 */
export function createRecorder(options: RecorderOptions): Recorder {
  const { broker, store, metrics, log, batchSize, holdMs = 60_000, maxPauseMs = 10_000 } = options;
  const stopping = new AbortController();
  const intake = createIntake<Delivery<EventMessage>>(batchSize, options.batchWaitMs);
  const messages = metrics.counter('millwright_recorder_messages_total');
  const lag = metrics.gauge('millwright_recorder_lag_seconds');
  let answers = false;

  const ended = run().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  return {
    ended,
    close: async () => {
      stopping.abort();
      await ended;
    },
  };

  async function run(): Promise<void> {
    while (await storeAnswers()) {
      // Twice the batch: the next one arrives while this one is being written.
      const consumer = await broker.consume(topology.recorder, eventMessage, receive, { prefetch: 2 * batchSize });
      await recordWhilePossible();
      await giveBack(consumer);
    }
  }

  /** Waits until the database answers. False when stopping. */
  async function storeAnswers(): Promise<boolean> {
    for (let tries = 0; !stopping.signal.aborted; tries++) {
      try {
        await store.ping();
        noteStore(true);
        return true;
      } catch (error) {
        noteStore(false, error);
        await pause(tries);
      }
    }
    return false;
  }

  async function receive(delivery: Delivery<EventMessage>): Promise<void> {
    const reason = defect(delivery.message, delivery);
    if (reason === undefined) intake.add(delivery);
    else await bury(delivery, reason);
  }

  async function recordWhilePossible(): Promise<void> {
    for (;;) {
      const batch = await intake.next(stopping.signal);
      if (batch.length === 0) return;
      if (await write(batch)) continue;
      for (const delivery of batch) delivery.requeue();
      return;
    }
  }

  async function giveBack(consumer: Consumer): Promise<void> {
    await consumer.cancel();
    for (const delivery of intake.drain()) delivery.requeue();
  }

  /** False when the database stayed away for too long, or we are stopping: then some of the batch is not settled. */
  async function write(batch: Delivery<EventMessage>[]): Promise<boolean> {
    const until = performance.now() + holdMs;
    for (let tries = 0; ; tries++) {
      try {
        await store.record(batch.map(({ message }) => message));
        noteStore(true);
        settle(batch);
        return true;
      } catch (error) {
        if (error instanceof StoreError && error.kind === 'rejected') return writeParts(batch, error);
        noteStore(false, error);
        if (stopping.signal.aborted || performance.now() > until) return false;
        await pause(tries);
      }
    }
  }

  /** One message spoils its batch: halves find it in few writes. */
  async function writeParts(batch: Delivery<EventMessage>[], error: StoreError): Promise<boolean> {
    const [only] = batch;
    if (batch.length === 1 && only) {
      await bury(only, `rejected by the database: ${error.message}`);
      return true;
    }
    const half = Math.ceil(batch.length / 2);
    return (await write(batch.slice(0, half))) && (await write(batch.slice(half)));
  }

  function settle(batch: Delivery<EventMessage>[]): void {
    for (const delivery of batch) delivery.ack();
    messages.inc({ outcome: 'recorded' }, batch.length);
    const last = batch.at(-1);
    if (last) lag.set(Math.max(0, (Date.now() - Date.parse(last.message.at)) / 1000));
  }

  async function bury(delivery: Delivery<EventMessage>, reason: string): Promise<void> {
    messages.inc({ outcome: 'dead' });
    // When RabbitMQ does not take it, it comes back by itself and is buried then.
    await delivery.deadLetter(reason).catch((error: unknown) => log.warn('dead letter not taken', { error }));
  }

  function noteStore(now: boolean, error?: unknown): void {
    if (now === answers) return;
    answers = now;
    if (now) log.info('the database answers');
    else log.warn('the database is away: events wait', { error });
    options.onStoreChange?.(now);
  }

  /** Full jitter, so that replicas do not return in step. */
  async function pause(tries: number): Promise<void> {
    const bound = Math.min(maxPauseMs, 100 * 2 ** Math.min(tries, 20));
    await delay(Math.random() * bound, undefined, { signal: stopping.signal }).catch(() => {});
  }
}
