/** Consumers that survive reconnects, channel errors and deleted queues, and that show their handler valid messages only. */
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { z } from 'zod';
import { fullJitter } from './backoff.ts';
import { decode } from './codec.ts';
import type { Link } from './connection.ts';
import { delivery, Receipt, type Settling } from './delivery.ts';
import { ClosedError, messageOf, RefusedError } from './errors.ts';
import type { Consumer, Handler } from './types.ts';
import { UNREADABLE } from './unreadable.ts';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;

/** The deliveries of a channel that are not settled yet. */
interface Open {
  count: number;
  /** Their queue was deleted, and they with it: they do not come again. */
  isGone: boolean;
}

export interface ConsumerOptions<T> {
  link: Link;
  settling: Settling;
  /** Names the queue to consume from, after declaring it on the channel if it is ours. Runs for every new channel. */
  prepare: (channel: Channel) => string | Promise<string>;
  schema: z.ZodType<T>;
  handler: Handler<T>;
  prefetch: number;
  noAck: boolean;
  exclusive: boolean;
  /** Called with every successful subscription. */
  onSubscribed?: (again: boolean) => void;
  /** See `ConsumeOptions`. */
  onLost?: () => void;
}

/** Resolves once subscribed; rejects with RefusedError when the broker refuses the first subscription. */
export function startConsumer<T>(options: ConsumerOptions<T>): Promise<Consumer> {
  const { link, settling } = options;
  const { log } = settling;
  let cancelled = false;
  let everSubscribed = false;
  let attempt = 0;
  let retryTimer: NodeJS.Timeout | undefined;
  let current: { channel: Channel; consumerTag: string; open: Open } | undefined;

  return new Promise((resolve, reject) => {
    const unlisten = link.listen({ up: subscribe, down: () => clearTimeout(retryTimer) });
    link.ended.then((error) => {
      if (!everSubscribed) reject(error ?? new ClosedError());
    });

    async function subscribe(model: ChannelModel): Promise<void> {
      clearTimeout(retryTimer);
      if (cancelled) return;
      let reason: unknown = 'channel closed';
      try {
        const channel = await model.createChannel();
        const open: Open = { count: 0, isGone: false };
        channel.on('error', (error) => {
          reason = error;
        });
        channel.on('close', () => {
          if (current?.channel === channel) current = undefined;
          if (open.count > 0 && !open.isGone) tell(options.onLost);
          // When the whole connection goes, its channels tell before it does.
          setImmediate(() => again(model, reason));
        });
        const queue = await options.prepare(channel);
        await channel.prefetch(options.prefetch);
        const { consumerTag } = await channel.consume(queue, (raw) => received(raw, channel, queue, open), {
          noAck: options.noAck,
          exclusive: options.exclusive,
        });
        current = { channel, consumerTag, open };
        attempt = 0;
        const repeated = everSubscribed;
        tell(() => options.onSubscribed?.(repeated));
        everSubscribed = true;
        resolve({ cancel });
      } catch (error) {
        // A refusal closes the channel, which schedules the next attempt; the first one is the caller's to know.
        if (everSubscribed || link.model !== model) return;
        cancelled = true;
        unlisten();
        reject(new RefusedError(`cannot consume: ${messageOf(error)}`, { cause: error }));
      }
    }

    function tell(listener: (() => void) | undefined): void {
      try {
        listener?.();
      } catch (error) {
        log('error', 'subscription listener failed', { error: messageOf(error) });
      }
    }

    function again(model: ChannelModel, reason: unknown): void {
      if (cancelled || !everSubscribed || link.model !== model) return;
      const delay = fullJitter(attempt++, FIRST_DELAY_MS, MAX_DELAY_MS);
      log('warn', 'consumer lost its channel', { error: messageOf(reason), retryInMs: Math.round(delay) });
      retryTimer = setTimeout(() => subscribe(model), delay);
    }

    async function cancel(): Promise<void> {
      if (cancelled) return;
      cancelled = true;
      clearTimeout(retryTimer);
      unlisten();
      const last = current;
      if (!last) return;
      await last.channel.cancel(last.consumerTag).catch(() => {});
      closeWhenSettled(last.channel, last.open);
    }
  });

  function received(raw: ConsumeMessage | null, channel: Channel, queue: string, open: Open): void {
    if (raw === null) {
      // The queue was deleted. Its channel may still have deliveries, but settling those is void.
      open.isGone = true;
      channel.close().catch(() => {});
      return;
    }
    open.count++;
    const receipt = new Receipt(raw, queue, channel, settling, options.noAck, () => {
      open.count--;
      closeWhenSettled(channel, open);
    });
    if (cancelled && !options.noAck) receipt.requeue();
    else handle(receipt);
  }

  function closeWhenSettled(channel: Channel, open: Open): void {
    if (cancelled && (open.count === 0 || options.noAck)) channel.close().catch(() => {});
  }

  async function handle(receipt: Receipt): Promise<void> {
    if (receipt.raw.properties.headers?.[UNREADABLE]) return discard(receipt, 'malformed: headers cannot be decoded');
    const decoded = decode(options.schema, receipt.raw.content);
    if (!decoded.ok) return discard(receipt, decoded.reason);
    try {
      await options.handler(delivery(receipt, decoded.message, settling.user));
    } catch (error) {
      log('error', 'handler failed', { queue: receipt.queue, error: messageOf(error), settled: receipt.settled });
      if (receipt.settled) return;
      if (receipt.raw.fields.redelivered) await discard(receipt, `handler failed: ${messageOf(error)}`);
      else receipt.requeue();
    }
  }

  async function discard(receipt: Receipt, reason: string): Promise<void> {
    if (options.noAck) {
      // A live copy: the message itself is on a durable queue, if it belongs on one.
      log('warn', 'message dropped', { queue: receipt.queue, reason });
      return;
    }
    try {
      await receipt.deadLetter(reason);
    } catch (error) {
      log('error', 'dead letter not taken; its message goes back', { queue: receipt.queue, error: messageOf(error) });
    }
  }
}
