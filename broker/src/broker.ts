/**
 * Puts the parts together. Two connections: RabbitMQ stops reading from connections that publish when it runs short of memory, and
 * acknowledgements must get through then, so consumers have one of their own, opened with the first of them.
 */
import { randomUUID } from 'node:crypto';
import type { Channel, ChannelModel, Options } from 'amqplib';
import type { z } from 'zod';
import { encode } from './codec.ts';
import { isRefusal, type Link, openLink, userOf } from './connection.ts';
import { startConsumer } from './consume.ts';
import type { Settling } from './delivery.ts';
import {
  ClosedError,
  ConnectionLostError,
  InvalidMessageError,
  messageOf,
  PublishError,
  RefusedError,
  UnroutableError,
} from './errors.ts';
import { header } from './headers.ts';
import { createPublisher } from './publish.ts';
import { createRequester, isReplyAddress } from './request.ts';
import { declareTopology, declareWorkQueue, workQueue, workQueueName } from './topology.ts';
import type {
  Broker,
  BrokerOptions,
  BrokerState,
  Consumer,
  Handler,
  PublishOptions,
  RawProperties,
  SubscribeOptions,
  Target,
} from './types.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const DRAIN_MS = 5_000;
/** Well below the time after which an unused work queue expires. */
const WORK_QUEUE_MEMORY_MS = 5 * 60_000;
/** A live queue whose reader does not keep up loses its oldest messages rather than the broker its memory. */
const MAX_LIVE_MESSAGES = 10_000;

/**
 * Connects, declares the topology if asked to, and keeps reconnecting with full jitter until closed. Rejects with RefusedError when
 * the broker still refuses credentials, virtual host or topology after 5 s, and with BrokerError after `recoverForMs` without a connection.
 */
export async function connect(options: BrokerOptions): Promise<Broker> {
  const log = options.log ?? (() => {});
  const user = userOf(options.url);
  const declares = options.topology !== 'assume';
  const listeners = new Set<(state: BrokerState) => void>();
  const workQueues = new Map<string, { at: number; done: Promise<void> }>();
  let state: BrokerState = 'disconnected';
  let consuming: Link | undefined;
  let closing = false;

  const linkOptions = {
    url: options.url,
    log,
    recoverForMs: options.recoverForMs ?? Number.POSITIVE_INFINITY,
    onChange: updateState,
  };
  const publishing = openLink({
    ...linkOptions,
    name: options.name,
    setup: async (model) => {
      if (declares) await onChannel(model, declareTopology);
    },
  });
  publishing.listen({ up: () => workQueues.clear() });
  const closed = publishing.ended.then(async (error) => {
    await shutDown(0);
    return error;
  });
  const publisher = createPublisher({
    link: publishing,
    log,
    mayPublish: options.mayPublish,
    onConfirm: options.onConfirm,
  });
  const requester = createRequester(publishing, log, options.mayPublish);

  function updateState(): void {
    // The first call comes while the links are made.
    queueMicrotask(() => {
      const up = publishing.model !== undefined && (!consuming || consuming.model !== undefined);
      const next: BrokerState = !up ? 'disconnected' : publishing.blocked ? 'blocked' : 'connected';
      if (next === state) return;
      state = next;
      for (const listener of [...listeners]) {
        try {
          listener(state);
        } catch (error) {
          log('error', 'state listener failed', { error: messageOf(error) });
        }
      }
    });
  }

  /** Opened with the first consumer. */
  function consumingLink(): Link {
    if (!consuming) {
      consuming = openLink({ ...linkOptions, name: `${options.name} (consumers)`, setup: async () => {} });
      consuming.ended.then(() => publishing.close());
    }
    return consuming;
  }

  async function publishRaw(target: Target, content: Buffer, properties: RawProperties): Promise<void> {
    const messageId = properties.messageId ?? randomUUID();
    const mandatory = properties.mandatory ?? true;
    await send(target, content, { ...properties, messageId, mandatory, userId: user }, DEFAULT_TIMEOUT_MS);
  }

  async function send(target: Target, content: Buffer, properties: Options.Publish, timeoutMs: number): Promise<void> {
    try {
      await publisher.send(target, content, properties, timeoutMs);
    } catch (error) {
      // Somebody deleted the queue; the next ensureWorkQueue makes it anew.
      if (error instanceof UnroutableError) workQueues.delete(target.routingKey);
      if (error instanceof PublishError) options.onFailure?.(target.exchange, error);
      throw error;
    }
  }

  const settling: Settling = {
    log,
    user,
    deadLetterBy: declares ? 'publish' : 'reject',
    publishRaw,
    onDeadLetter: options.onDeadLetter,
  };

  function propertiesOf(options: PublishOptions): Options.Publish {
    const properties: Options.Publish = {
      userId: user,
      messageId: options.messageId ?? randomUUID(),
      contentType: 'application/json',
      persistent: options.persistent ?? true,
      mandatory: options.mandatory ?? true,
      timestamp: Math.floor(Date.now() / 1000),
    };
    if (options.replyTo !== undefined) properties.replyTo = options.replyTo;
    if (options.correlationId !== undefined) properties.correlationId = options.correlationId;
    if (options.traceparent !== undefined) properties.headers = { [header.traceparent]: options.traceparent };
    return properties;
  }

  async function publish<T>(
    target: Target,
    schema: z.ZodType<T>,
    message: T,
    publishOptions: PublishOptions = {},
  ): Promise<void> {
    const timeoutMs = publishOptions.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    await send(target, encode(schema, message), propertiesOf(publishOptions), timeoutMs);
  }

  function subscribe<T>(
    from: readonly Target[],
    schema: z.ZodType<T>,
    handler: Handler<T>,
    subscribeOptions: SubscribeOptions,
  ): Promise<Consumer> {
    return startConsumer({
      link: consumingLink(),
      settling,
      schema,
      handler,
      prefetch: 0,
      noAck: true,
      exclusive: true,
      // A new name each time: the old queue may still be locked by a connection that RabbitMQ has not found dead yet.
      prepare: async (channel) => {
        const queue = `live.${user}.${randomUUID()}`;
        await channel.assertQueue(queue, {
          exclusive: true,
          autoDelete: true,
          durable: false,
          maxLength: MAX_LIVE_MESSAGES,
        });
        for (const { exchange, routingKey } of from) await channel.bindQueue(queue, exchange, routingKey);
        return queue;
      },
      ...(subscribeOptions.onSubscribed ? { onSubscribed: subscribeOptions.onSubscribed } : {}),
    });
  }

  async function withChannel<R>(use: (channel: Channel) => Promise<R>): Promise<R> {
    if (closing) throw new ClosedError();
    const model = await publishing.ready(DEFAULT_TIMEOUT_MS);
    try {
      return await onChannel(model, use);
    } catch (error) {
      if (isRefusal(error)) throw new RefusedError(messageOf(error), { cause: error });
      if (publishing.model !== model) throw new ConnectionLostError(messageOf(error));
      throw error;
    }
  }

  async function shutDown(drainMs: number): Promise<void> {
    if (closing) return;
    closing = true;
    if (drainMs > 0) await publisher.drain(drainMs);
    publisher.close();
    requester.close();
    await Promise.all([publishing.close(), consuming?.close()]);
  }

  const broker: Broker = {
    user,
    closed,
    get connected() {
      return state === 'connected';
    },
    onStateChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    publish,
    publishRaw,
    withChannel,
    async consume(queue, schema, handler, consumeOptions) {
      if (closing) throw new ClosedError();
      return startConsumer({
        link: consumingLink(),
        settling,
        prepare: () => queue,
        schema,
        handler,
        prefetch: consumeOptions.prefetch,
        noAck: consumeOptions.noAck ?? false,
        exclusive: consumeOptions.exclusive ?? false,
        ...(consumeOptions.onLost ? { onLost: consumeOptions.onLost } : {}),
      });
    },
    async subscribe(from, schema, handler, subscribeOptions = {}) {
      if (closing) throw new ClosedError();
      return subscribe(from, schema, handler, subscribeOptions);
    },
    async request(target, requestSchema, message, replySchema, requestOptions) {
      const content = encode(requestSchema, message);
      return requester.ask(target, content, propertiesOf(requestOptions), replySchema, requestOptions.timeoutMs);
    },
    async reply(replyTo, schema, message, { correlationId, traceparent }) {
      if (!isReplyAddress(replyTo)) throw new InvalidMessageError(`"${replyTo}" is not a direct reply address`);
      // Not mandatory, not persistent: a reply whose requester is gone is of no use to anyone.
      await publish({ exchange: '', routingKey: replyTo }, schema, message, {
        ...(correlationId === undefined ? {} : { correlationId }),
        ...(traceparent === undefined ? {} : { traceparent }),
        mandatory: false,
        persistent: false,
      });
    },
    async isWaiting(replyTo) {
      if (!isReplyAddress(replyTo)) return false;
      try {
        await withChannel((channel) => channel.checkQueue(replyTo));
        return true;
      } catch (error) {
        if (error instanceof RefusedError && error.code === 404) return false;
        throw error;
      }
    },
    async ensureWorkQueue({ namespace, ...key }) {
      const name = workQueueName(namespace, key);
      const known = workQueues.get(name);
      if (known && performance.now() - known.at < WORK_QUEUE_MEMORY_MS) {
        await known.done;
        return name;
      }
      const done = withChannel((channel) => declareWorkQueue(channel, workQueue(name)));
      workQueues.set(name, { at: performance.now(), done });
      await done.catch((error) => {
        workQueues.delete(name);
        throw error;
      });
      return name;
    },
    async queueDepth(queue) {
      try {
        const { messageCount, consumerCount } = await withChannel((channel) => channel.checkQueue(queue));
        return { messages: messageCount, consumers: consumerCount };
      } catch (error) {
        if (error instanceof RefusedError && error.code === 404) return { messages: 0, consumers: 0 };
        throw error;
      }
    },
    close: () => shutDown(DRAIN_MS),
  };

  await publishing.ready();
  return broker;
}

async function onChannel<R>(model: ChannelModel, use: (channel: Channel) => Promise<R>): Promise<R> {
  const channel = await model.createChannel();
  // Refusals reach the caller through the operation they belong to; without a listener they would end the process.
  channel.on('error', () => {});
  // Rather than for the reply to `close`, which never comes when the connection ends first.
  const closed = new Promise((resolve) => channel.on('close', resolve));
  try {
    return await use(channel);
  } finally {
    channel.close().catch(() => {});
    await closed;
  }
}
