import type { Channel } from 'amqplib';
import type { z } from 'zod';
import type { PublishError } from './errors.ts';
import type { WorkKey } from './topology.ts';

export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Record<string, unknown>,
) => void;

export interface BrokerOptions {
  /** `amqp[s]://user:password@host:port/vhost`; an explicit `heartbeat` (seconds) in the query wins over the 10 s set here. */
  url: string;
  /** Shown as the connection's name in RabbitMQ. */
  name: string;
  log?: Log;
  /** `declare` (operator, gateway, recorder, publisher): exchanges and queues are declared on every connect. `assume` (sandboxes): they exist. */
  topology?: 'declare' | 'assume';
  /**
   * Asked at the moment at which a message, a request or an answer would leave this process: one that has waited here for the connection
   * may no longer be right. When false, it rejects with ForbiddenError. Absent: always allowed.
   */
  mayPublish?: () => boolean;
  /** After so long without a connection, the broker gives up and closes with an error. For ever when absent. */
  recoverForMs?: number;
  /** Called with every confirmed publish: where to, and milliseconds from send to confirmation. */
  onConfirm?: (exchange: string, milliseconds: number) => void;
  /** Called with every publish that failed: where to, and why. */
  onFailure?: (exchange: string, error: PublishError) => void;
  /** Called with every delivery that is among the dead letters from then on. */
  onDeadLetter?: (queue: string, reason: string) => void;
}

export interface Target {
  exchange: string;
  routingKey: string;
}

export interface PublishOptions {
  /** A random UUID when absent. */
  messageId?: string;
  replyTo?: string;
  correlationId?: string;
  traceparent?: string;
  /** Default true: rejects with UnroutableError when no queue takes it. */
  mandatory?: boolean;
  /** Default true. */
  persistent?: boolean;
  /** How long to wait for a connection and the confirmation together; default 30 s. */
  timeoutMs?: number;
}

export interface RequestOptions {
  /** How long to wait for the connection, the confirmation and the reply together. */
  timeoutMs: number;
  messageId?: string;
  traceparent?: string;
}

export interface Delivery<T> {
  readonly message: T;
  readonly messageId: string | undefined;
  readonly correlationId: string | undefined;
  readonly replyTo: string | undefined;
  /** The RabbitMQ user that published it, verified by RabbitMQ; the original one after a re-drive. */
  readonly userId: string | undefined;
  readonly redelivered: boolean;
  /** When its publisher says it was sent, in milliseconds since the epoch, to the second. */
  readonly sentAt: number | undefined;
  readonly headers: Record<string, unknown>;
  readonly traceparent: string | undefined;
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  /** Whether ack, requeue or deadLetter was called (true from the start with `noAck`). Later calls do nothing. */
  readonly settled: boolean;
  ack(): void;
  /**
   * Gives the message back to its queue: at once, or after a delay in milliseconds. Deliveries of work queues and of effects wait in the
   * retry queue of the next longer tier, durably; others wait in this process, still unacknowledged.
   */
  requeue(delayMs?: number): void;
  /** Moves the message to `millwright.dead`. Resolves when that is confirmed; on an error the message goes back to its queue. */
  deadLetter(reason: string): Promise<void>;
}

export type Handler<T> = (delivery: Delivery<T>) => void | Promise<void>;

export interface ConsumeOptions {
  /** How many unsettled deliveries at most, all handled concurrently. */
  prefetch: number;
  noAck?: boolean;
  exclusive?: boolean;
  /**
   * Called, before anything more is delivered, when the consumer has lost its channel or connection: every delivery that is not settled comes
   * again. The state of the broker does not say that, which counts the connection that publishes as well.
   */
  onLost?: () => void;
}

export interface SubscribeOptions {
  /** Called whenever the live queue is bound: `again` means that messages may have been missed since the last time. */
  onSubscribed?: (again: boolean) => void;
}

export interface Consumer {
  /** Stops deliveries. What was delivered can still be settled. */
  cancel(): Promise<void>;
}

export type BrokerState = 'connected' | 'disconnected' | 'blocked';

export interface QueueDepth {
  /** Ready messages: those delivered and not settled are not counted. */
  messages: number;
  consumers: number;
}

export interface Broker {
  /** The RabbitMQ user of this connection. */
  readonly user: string;
  readonly connected: boolean;
  /** Settles when the broker is closed: with an error when it gave up or was refused for good. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Returns a function that removes the listener. `blocked`: RabbitMQ is short of memory or disk and takes no messages. */
  onStateChange(listener: (state: BrokerState) => void): () => void;

  /**
   * Resolves when RabbitMQ has confirmed the message. While disconnected or blocked it waits, in order. Pipelined: start many
   * without awaiting each.
   *
   * Rejects with InvalidMessageError or OversizedError (never sent), UnroutableError (no queue takes it), ConnectionLostError
   * (sent, and not known whether it arrived: never re-sent here, since only the caller knows whether that is still right), PublishError
   * otherwise (refused, forbidden, timed out, backlog full, closed). Never throws synchronously.
   */
  publish<T>(target: Target, schema: z.ZodType<T>, message: T, options?: PublishOptions): Promise<void>;

  /**
   * Consumes until cancelled, across reconnects, channel errors and a deletion of the queue. The handler gets valid messages only;
   * others go to `millwright.dead` with the reason. A handler that throws gets the message once more, then it goes there too.
   *
   * Resolves once consuming. Rejects with RefusedError when RabbitMQ refuses the first time (no such queue, no permission).
   */
  consume<T>(queue: string, schema: z.ZodType<T>, handler: Handler<T>, options: ConsumeOptions): Promise<Consumer>;

  /**
   * A live copy of what is published to any of the targets, on a queue of this connection only; routing keys of topic exchanges may be
   * patterns. Deliveries need no ack. Rejects with RefusedError when RabbitMQ does not let this user listen there.
   */
  subscribe<T>(
    from: readonly Target[],
    schema: z.ZodType<T>,
    handler: Handler<T>,
    options?: SubscribeOptions,
  ): Promise<Consumer>;

  /**
   * Publishes with RabbitMQ's direct reply-to and resolves with the validated reply. Rejects as `publish` does, and with
   * RequestTimeoutError without an answer in time. A reconnect in between rejects with ConnectionLostError: ask again.
   */
  request<Req, Rep>(
    target: Target,
    requestSchema: z.ZodType<Req>,
    message: Req,
    replySchema: z.ZodType<Rep>,
    options: RequestOptions,
  ): Promise<Rep>;

  /**
   * Answers a request. Only direct reply-to addresses are accepted (InvalidMessageError otherwise): a `replyTo` comes from outside, and
   * the default exchange would deliver to any queue it names.
   */
  reply<T>(
    replyTo: string,
    schema: z.ZodType<T>,
    message: T,
    options: { correlationId?: string | undefined; traceparent?: string | undefined },
  ): Promise<void>;

  /**
   * Whether the requester behind a direct reply address is still connected. A reply to one that is not is lost without a sign; asking takes
   * a channel of its own, so it is for requests that are old or were delivered again.
   */
  isWaiting(replyTo: string): Promise<boolean>;

  /**
   * Declares the work queue of a required capability set and returns its name. Cheap to call before every publish. A queue without
   * consumers expires after 30 minutes with what is in it: call this at least every 20 while work waits there, which renews the lease.
   */
  ensureWorkQueue(key: WorkKey & { namespace: string }): Promise<string>;

  /** Zeros for a queue that does not exist. */
  queueDepth(queue: string): Promise<QueueDepth>;

  /** Runs something on a channel of its own, which is closed afterwards (unsettled messages go back). For tools such as dead letters. */
  withChannel<R>(use: (channel: Channel) => Promise<R>): Promise<R>;

  /** Publishes bytes as they are, with their properties; for re-drives. The user id is always set to ours. */
  publishRaw(target: Target, content: Buffer, properties: RawProperties): Promise<void>;

  /** Waits up to 5 s for what is unconfirmed, then disconnects. Unsettled deliveries go back to their queues. */
  close(): Promise<void>;
}

/** AMQP basic properties that are carried over when a message is published anew. */
export interface RawProperties {
  headers?: Record<string, unknown>;
  messageId?: string;
  correlationId?: string;
  replyTo?: string;
  contentType?: string;
  contentEncoding?: string;
  type?: string;
  appId?: string;
  timestamp?: number;
  priority?: number;
  persistent?: boolean;
  mandatory?: boolean;
}
