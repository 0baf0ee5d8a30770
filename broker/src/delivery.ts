/** One delivered message, and the ways to settle it. */
import type { Channel, ConsumeMessage, MessageProperties } from 'amqplib';
import { messageOf, UnencodableError } from './errors.ts';
import { carriedProperties, header, publisherOf, stringOf, traceparentOf } from './headers.ts';
import { isRetried, retryTier, topology } from './topology.ts';
import type { Delivery, Log, RawProperties, Target } from './types.ts';

/** What of a dead letter is kept when it is larger; it cannot be re-driven then. */
const MAX_DEAD_BYTES = 1024 * 1024;
const TRUNCATED_BYTES = 64 * 1024;
const MAX_REASON_CHARACTERS = 2_000;
/** Between a failed attempt to move a message elsewhere and its return to the queue, so that a failing broker is not hammered. */
const PAUSE_MS = 1_000;

export interface Settling {
  log: Log;
  /** The user of our connection. */
  user: string;
  /** `reject`: this user may not publish to `millwright.dead`, so RabbitMQ moves the message by the queue's own rule, without our reason. */
  deadLetterBy: 'publish' | 'reject';
  publishRaw(target: Target, content: Buffer, properties: RawProperties): Promise<void>;
  onDeadLetter?: ((queue: string, reason: string) => void) | undefined;
}

/** A message on its channel, settled at most once. After the channel is gone settling does nothing: RabbitMQ delivers again. */
export class Receipt {
  settled: boolean;
  readonly raw: ConsumeMessage;
  readonly queue: string;
  readonly #channel: Channel;
  readonly #how: Settling;
  readonly #onSettled: () => void;

  constructor(
    raw: ConsumeMessage,
    queue: string,
    channel: Channel,
    how: Settling,
    noAck: boolean,
    onSettled: () => void,
  ) {
    this.raw = raw;
    this.queue = queue;
    this.settled = noAck;
    this.#channel = channel;
    this.#how = how;
    this.#onSettled = onSettled;
  }

  ack(): void {
    if (this.#take()) this.#finish(() => this.#channel.ack(this.raw));
  }

  requeue(delayMs = 0): void {
    if (!this.#take()) return;
    if (delayMs <= 0) this.#putBack();
    else if (isRetried(this.queue)) this.#retryLater(delayMs);
    else setTimeout(() => this.#putBack(), delayMs).unref();
  }

  async deadLetter(reason: string): Promise<void> {
    if (!this.#take()) return;
    const { log, deadLetterBy } = this.#how;
    log('warn', 'message goes to the dead letters', {
      queue: this.queue,
      reason,
      messageId: this.raw.properties.messageId,
    });
    if (deadLetterBy === 'reject') {
      this.#finish(() => this.#channel.reject(this.raw, false));
      this.#how.onDeadLetter?.(this.queue, reason);
      return;
    }
    try {
      await this.#publishDead(reason);
    } catch (error) {
      setTimeout(() => this.#putBack(), PAUSE_MS).unref();
      throw error;
    }
    this.#finish(() => this.#channel.ack(this.raw));
    this.#how.onDeadLetter?.(this.queue, reason);
  }

  #take(): boolean {
    if (this.settled) return false;
    this.settled = true;
    return true;
  }

  #putBack(): void {
    this.#finish(() => this.#channel.nack(this.raw, false, true));
  }

  #finish(frame: () => void): void {
    try {
      frame();
    } catch (error) {
      this.#how.log('debug', 'delivery of a closed channel was settled', {
        queue: this.queue,
        error: messageOf(error),
      });
    }
    this.#onSettled();
  }

  #retryLater(delayMs: number): void {
    const carried = carriedProperties(this.raw.properties);
    const before = this.raw.properties.headers?.[header.retries];
    const headers = { ...carried.headers, [header.retries]: (typeof before === 'number' ? before : 0) + 1 };
    const target = { exchange: topology.retry(retryTier(delayMs)), routingKey: this.queue };
    this.#how.publishRaw(target, this.raw.content, { ...carried, headers }).then(
      () => this.#finish(() => this.#channel.ack(this.raw)),
      (error) => {
        this.#how.log('warn', 'no retry queue took the message', { queue: this.queue, error: messageOf(error) });
        setTimeout(() => this.#putBack(), PAUSE_MS).unref();
      },
    );
  }

  async #publishDead(reason: string): Promise<void> {
    const { raw } = this;
    const whole = raw.content.length <= MAX_DEAD_BYTES;
    const content = whole ? raw.content : raw.content.subarray(0, TRUNCATED_BYTES);
    const carried = carriedProperties(raw.properties);
    const ours = deathHeaders(raw, this.queue, reason, this.#how.user, whole);
    const target = { exchange: topology.dead, routingKey: this.queue };
    try {
      await this.#how.publishRaw(target, content, { ...carried, headers: { ...carried.headers, ...ours } });
    } catch (error) {
      // Foreign properties may be such that they can be read but not written again; the content matters more.
      if (!(error instanceof UnencodableError)) throw error;
      await this.#how.publishRaw(target, content, { persistent: true, headers: ours });
    }
  }
}

function deathHeaders(raw: ConsumeMessage, queue: string, reason: string, ownUser: string, whole: boolean) {
  const userId = publisherOf(raw.properties, ownUser);
  return {
    [header.reason]: reason.slice(0, MAX_REASON_CHARACTERS),
    [header.queue]: queue,
    [header.exchange]: raw.fields.exchange,
    [header.routingKey]: raw.fields.routingKey,
    [header.diedAt]: new Date().toISOString(),
    ...(userId === undefined ? {} : { [header.userId]: userId }),
    ...(whole ? {} : { [header.truncated]: raw.content.length }),
  };
}

/** What a handler sees of a receipt whose message is valid. */
export function delivery<T>(receipt: Receipt, message: T, ownUser: string): Delivery<T> {
  const properties: MessageProperties = receipt.raw.properties;
  const headers: Record<string, unknown> = properties.headers ?? {};
  return {
    message,
    messageId: stringOf(properties.messageId),
    correlationId: stringOf(properties.correlationId),
    replyTo: stringOf(properties.replyTo),
    userId: publisherOf(properties, ownUser),
    redelivered: receipt.raw.fields.redelivered,
    sentAt: typeof properties.timestamp === 'number' ? properties.timestamp * 1000 : undefined,
    headers,
    traceparent: traceparentOf(headers),
    queue: receipt.queue,
    exchange: receipt.raw.fields.exchange,
    routingKey: receipt.raw.fields.routingKey,
    get settled() {
      return receipt.settled;
    },
    ack: () => receipt.ack(),
    requeue: (delayMs) => receipt.requeue(delayMs),
    deadLetter: (reason) => receipt.deadLetter(reason),
  };
}
