/**
 * Confirmed publishing on one channel. Everything is pipelined: a message is written at once and its promise settles when RabbitMQ
 * confirms it, returns it as unroutable, or the channel is lost.
 */
import { type ChannelModel, type ConfirmChannel, IllegalOperationError, type Message, type Options } from 'amqplib';
import { fullJitter } from './backoff.ts';
import type { Link } from './connection.ts';
import {
  ClosedError,
  ConnectionLostError,
  ForbiddenError,
  messageOf,
  PublishError,
  UnencodableError,
  UnroutableError,
} from './errors.ts';
import type { Log, Target } from './types.ts';

/** Beyond this much unconfirmed content, messages wait here rather than in the socket's buffers. */
const MAX_IN_FLIGHT_BYTES = 32 * 1024 * 1024;
/** Beyond this much waiting content (broker away or too slow), publishing fails at once instead of filling the memory. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** What a message costs besides its content, so that a flood of tiny ones is bounded as well. */
const OVERHEAD_BYTES = 512;
const SWEEP_MS = 250;
const MAX_REOPEN_DELAY_MS = 5_000;

export interface Publisher {
  /** Resolves when confirmed; rejects with a PublishError. Never throws synchronously. */
  send(target: Target, content: Buffer, properties: Options.Publish, timeoutMs: number): Promise<void>;
  /** Resolves when nothing is unsettled, or after `ms`. */
  drain(ms: number): Promise<void>;
  /** Rejects whatever is unsettled. */
  close(): void;
}

export interface PublisherOptions {
  link: Link;
  log: Log;
  /** See `BrokerOptions`. */
  mayPublish?: (() => boolean) | undefined;
  onConfirm?: ((exchange: string, milliseconds: number) => void) | undefined;
  /** Runs on every new channel before anything is published on it. */
  prepare?: (channel: ConfirmChannel) => Promise<void>;
  onChannelLost?: (reason: string) => void;
}

interface Entry {
  readonly target: Target;
  readonly content: Buffer;
  readonly properties: Options.Publish;
  readonly deadline: number;
  sentAt: number;
  resolve(): void;
  reject(error: PublishError): void;
}

const weight = (entry: Entry): number => entry.content.length + OVERHEAD_BYTES;

export function createPublisher(options: PublisherOptions): Publisher {
  const { link, log } = options;
  /** Sets keep the order and forget in constant time. */
  const waiting = new Set<Entry>();
  const inFlight = new Set<Entry>();
  const idle = new Set<() => void>();
  /** Why a channel ended. */
  const lossOf = new WeakMap<ConfirmChannel, string>();
  let waitingBytes = 0;
  let inFlightBytes = 0;
  let channel: ConfirmChannel | undefined;
  let closed = false;
  let sweeper: NodeJS.Timeout | undefined;
  let reopenTimer: NodeJS.Timeout | undefined;
  let reopenAttempt = 0;

  function transmit(entry: Entry, on: ConfirmChannel): void {
    if (options.mayPublish?.() === false) {
      entry.reject(new ForbiddenError());
      return;
    }
    entry.sentAt = performance.now();
    inFlight.add(entry);
    inFlightBytes += weight(entry);
    try {
      on.publish(entry.target.exchange, entry.target.routingKey, entry.content, entry.properties, (error: unknown) =>
        confirmed(entry, on, error),
      );
    } catch (error) {
      // Nothing was written: amqplib encodes everything first.
      inFlightBytes -= weight(entry);
      inFlight.delete(entry);
      entry.reject(
        error instanceof IllegalOperationError
          ? new PublishError('the channel is closing', 'no', { cause: error })
          : new UnencodableError(error),
      );
    }
  }

  function confirmed(entry: Entry, on: ConfirmChannel, error: unknown): void {
    inFlightBytes -= weight(entry);
    // Gone from the set when it was returned or has timed out.
    if (inFlight.delete(entry)) {
      if (!error) {
        reopenAttempt = 0;
        options.onConfirm?.(entry.target.exchange, performance.now() - entry.sentAt);
        entry.resolve();
      } else if (channel === on) {
        // A negative confirmation: the queue is full, or has lost its majority while it took the message.
        entry.reject(new PublishError('the broker did not take the message', 'unknown'));
      } else {
        entry.reject(new ConnectionLostError(lossOf.get(on) ?? 'channel closed'));
      }
    }
    if (waiting.size > 0) pump();
    else notifyIdle();
  }

  /** RabbitMQ returns messages of a channel in the order they were published and before it confirms them, so the first match is right. */
  function returned(message: Message): void {
    const { exchange, routingKey } = message.fields;
    for (const entry of inFlight) {
      if (
        entry.properties.messageId === message.properties.messageId &&
        entry.target.exchange === exchange &&
        entry.target.routingKey === routingKey
      ) {
        inFlight.delete(entry);
        entry.reject(new UnroutableError(exchange, routingKey));
        return;
      }
    }
  }

  function pump(): void {
    for (const entry of waiting) {
      if (!channel || link.blocked || inFlightBytes >= MAX_IN_FLIGHT_BYTES) return;
      waiting.delete(entry);
      waitingBytes -= weight(entry);
      transmit(entry, channel);
    }
    notifyIdle();
  }

  async function open(model: ChannelModel): Promise<void> {
    clearTimeout(reopenTimer);
    let next: ConfirmChannel | undefined;
    try {
      next = await model.createConfirmChannel();
      watch(next, model);
      await options.prepare?.(next);
    } catch (error) {
      log('warn', 'no channel to publish on', { error: messageOf(error) });
      if (next && !lossOf.has(next)) next.close().catch(() => {});
      else reopenSoon(model);
      return;
    }
    if (closed || link.model !== model || lossOf.has(next)) return;
    channel = next;
    pump();
  }

  function watch(next: ConfirmChannel, model: ChannelModel): void {
    let reason = 'connection closed';
    next.on('error', (error) => {
      reason = messageOf(error);
    });
    next.on('return', returned);
    // Before amqplib's own listener, which fails what is unconfirmed: by then it must be known that the channel is gone.
    next.prependListener('close', () => {
      lossOf.set(next, reason);
      if (channel === next) channel = undefined;
    });
    next.on('close', () => {
      options.onChannelLost?.(reason);
      reopenSoon(model);
    });
  }

  function reopenSoon(model: ChannelModel): void {
    clearTimeout(reopenTimer);
    if (closed || link.model !== model) return;
    reopenTimer = setTimeout(() => open(model), fullJitter(reopenAttempt++, 20, MAX_REOPEN_DELAY_MS));
  }

  function sweep(): void {
    const now = performance.now();
    for (const entry of waiting) {
      if (entry.deadline > now) continue;
      waiting.delete(entry);
      waitingBytes -= weight(entry);
      entry.reject(new PublishError(link.blocked ? 'the broker is blocked' : 'no connection to the broker', 'no'));
    }
    for (const entry of inFlight) {
      if (entry.deadline > now) continue;
      inFlight.delete(entry);
      entry.reject(new PublishError('not confirmed in time', 'unknown'));
    }
    notifyIdle();
  }

  function notifyIdle(): void {
    if (waiting.size > 0 || inFlight.size > 0) return;
    clearInterval(sweeper);
    sweeper = undefined;
    for (const resolve of idle) resolve();
    idle.clear();
  }

  const unlisten = link.listen({
    up: open,
    down: () => clearTimeout(reopenTimer),
    unblocked: pump,
  });

  return {
    send(target, content, properties, timeoutMs) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(new ClosedError());
        const entry: Entry = {
          target,
          content,
          properties,
          deadline: performance.now() + timeoutMs,
          sentAt: 0,
          resolve,
          reject,
        };
        if (channel && !link.blocked && waiting.size === 0 && inFlightBytes < MAX_IN_FLIGHT_BYTES) {
          transmit(entry, channel);
        } else if (waitingBytes >= MAX_WAITING_BYTES) {
          reject(new PublishError('too many messages wait for the broker', 'no'));
        } else {
          waiting.add(entry);
          waitingBytes += weight(entry);
        }
        sweeper ??= setInterval(sweep, SWEEP_MS).unref();
      });
    },
    drain(ms) {
      return new Promise((resolve) => {
        if (waiting.size === 0 && inFlight.size === 0) return resolve();
        const timer = setTimeout(resolve, ms);
        idle.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
    close() {
      closed = true;
      unlisten();
      clearTimeout(reopenTimer);
      clearInterval(sweeper);
      for (const entry of waiting) entry.reject(new ClosedError());
      for (const entry of inFlight) entry.reject(new ClosedError('unknown'));
      waiting.clear();
      inFlight.clear();
      notifyIdle();
    },
  };
}
