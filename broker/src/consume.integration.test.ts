import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Channel, ConsumeMessage } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { connect } from './broker.ts';
import { openLink } from './connection.ts';
import { startConsumer } from './consume.ts';
import { dropDeadLetters, listDeadLetters } from './dead-letters.ts';
import { RefusedError } from './errors.ts';
import { createFlakyProxy, createTestVhost, type TestVhost } from './testing.ts';
import { targets, topology } from './topology.ts';
import type { Broker, BrokerOptions, BrokerState, Delivery } from './types.ts';

const schema = z.strictObject({ n: z.int() });
type Message = z.infer<typeof schema>;

let vhost: TestVhost;
beforeAll(async () => {
  vhost = await createTestVhost();
});
afterAll(() => vhost.remove());

async function open(options: Partial<BrokerOptions> = {}): Promise<Broker> {
  const broker = await connect({ url: vhost.url, name: 'test', ...options });
  onTestFinished(() => broker.close());
  await broker.withChannel((channel) => channel.purgeQueue(topology.results));
  await dropDeadLetters(broker, { all: true });
  return broker;
}

const send = (broker: Broker, ...numbers: number[]) =>
  Promise.all(numbers.map((n) => broker.publish(targets.results, schema, { n })));

const depth = (broker: Broker, queue: string = topology.results) =>
  expect.poll(async () => (await broker.queueDepth(queue)).messages, { timeout: 10_000 });

/** Publishes past this module, as a foreign client would. */
const sendRaw = (broker: Broker, content: string | Buffer, options: object = {}) =>
  broker.withChannel(async (channel) => {
    channel.publish(topology.results, 'key', Buffer.from(content), { messageId: 'raw', ...options });
  });

describe('consume', () => {
  it('delivers valid messages with their properties', async () => {
    const broker = await open();
    const got: Delivery<Message>[] = [];
    await broker.consume(topology.results, schema, (delivery) => void got.push(delivery), { prefetch: 10 });
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    await broker.publish(targets.results, schema, { n: 7 }, { messageId: 'id', correlationId: 'c', traceparent });
    await expect
      .poll(() => got[0])
      .toMatchObject({
        message: { n: 7 },
        messageId: 'id',
        correlationId: 'c',
        userId: broker.user,
        redelivered: false,
        traceparent,
        queue: topology.results,
        exchange: topology.results,
        settled: false,
      });
  });

  it('has no more than `prefetch` unsettled, and gets the next when one is', async () => {
    const broker = await open();
    const got: Delivery<Message>[] = [];
    await send(broker, 1, 2, 3, 4);
    await broker.consume(topology.results, schema, (delivery) => void got.push(delivery), { prefetch: 2 });
    await depth(broker).toBe(2);
    expect(got).toHaveLength(2);
    got[1]?.ack();
    got[1]?.ack();
    expect(got[1]?.settled).toBe(true);
    await expect.poll(() => got.map((delivery) => delivery.message.n)).toEqual([1, 2, 3]);
    await depth(broker).toBe(1);
  });

  it('offers a message once more when the handler throws, then moves it to the dead letters', async () => {
    const broker = await open();
    const seen: boolean[] = [];
    await broker.consume(
      topology.results,
      schema,
      (delivery) => {
        seen.push(delivery.redelivered);
        throw new Error('cannot');
      },
      { prefetch: 1 },
    );
    await send(broker, 1);
    await depth(broker, topology.dead).toBe(1);
    expect(seen).toEqual([false, true]);
    expect(await listDeadLetters(broker, { limit: 10 })).toMatchObject([
      { reason: 'handler failed: cannot', queue: topology.results, content: '{"n":1}', userId: broker.user },
    ]);
  });

  it('gives a message back: at once, or later', async () => {
    const broker = await open();
    const seen: [number, boolean][] = [];
    const started = performance.now();
    let took = 0;
    await broker.consume(
      topology.results,
      schema,
      (delivery) => {
        seen.push([delivery.message.n, delivery.redelivered]);
        took = performance.now() - started;
        if (seen.length === 1) delivery.requeue();
        else if (seen.length === 2) delivery.requeue(300);
        else delivery.ack();
      },
      { prefetch: 1 },
    );
    await send(broker, 1);
    await expect
      .poll(() => seen)
      .toEqual([
        [1, false],
        [1, true],
        [1, true],
      ]);
    expect(took).toBeGreaterThanOrEqual(300);
  });

  it('refuses a queue that does not exist', async () => {
    const broker = await open();
    await expect(broker.consume('no.such', schema, () => {}, { prefetch: 1 })).rejects.toThrow(RefusedError);
  });

  it('lets what was delivered be settled after cancel, and delivers nothing more', async () => {
    const broker = await open();
    const got: Delivery<Message>[] = [];
    const consumer = await broker.consume(topology.results, schema, (delivery) => void got.push(delivery), {
      prefetch: 1,
    });
    await send(broker, 1, 2);
    await expect.poll(() => got.length).toBe(1);
    await consumer.cancel();
    expect(await broker.queueDepth(topology.results)).toMatchObject({ messages: 1 });
    got[0]?.ack();
    await broker.consume(topology.results, schema, (delivery) => void got.push(delivery), { prefetch: 10 });
    await expect
      .poll(() => got.map((delivery) => [delivery.message.n, delivery.redelivered]))
      .toEqual([
        [1, false],
        [2, false],
      ]);
  });
});

describe('poison', () => {
  it.each<[string, string | Buffer, RegExp]>([
    ['malformed JSON', '{"n":', /^malformed: /],
    ['another schema', '{"n":"x"}', /^invalid: /],
    ['more than 64 KiB', `{"n":1,"pad":"${'x'.repeat(70_000)}"}`, /^oversized: /],
    ['empty', '', /^malformed: /],
  ])('%s goes to the dead letters with its reason; the next message is handled', async (_, content, reason) => {
    const buried: string[] = [];
    const broker = await open({ onDeadLetter: (queue, why) => buried.push(`${queue} ${why}`) });
    const got: number[] = [];
    await broker.consume(
      topology.results,
      schema,
      (delivery) => {
        got.push(delivery.message.n);
        delivery.ack();
      },
      { prefetch: 10 },
    );
    await sendRaw(broker, content, { correlationId: 'c', headers: { kept: 'yes' } });
    await send(broker, 1);
    await depth(broker, topology.dead).toBe(1);
    const [letter] = await listDeadLetters(broker, { limit: 10 });
    expect(letter).toMatchObject({
      reason: expect.stringMatching(reason),
      queue: topology.results,
      exchange: topology.results,
      routingKey: 'key',
      messageId: 'raw',
      userId: undefined,
      headers: { kept: 'yes' },
      bytes: Buffer.byteLength(content),
    });
    await expect.poll(() => got).toEqual([1]);
    expect(buried).toEqual([`${topology.results} ${letter?.reason}`]);
  });

  it('keeps only the beginning of a huge message', async () => {
    const broker = await open();
    await broker.consume(topology.results, schema, () => {}, { prefetch: 10 });
    await sendRaw(broker, Buffer.alloc(2_000_000, 0x78));
    await depth(broker, topology.dead).toBe(1);
    const [letter] = await listDeadLetters(broker, { limit: 10 });
    expect(letter).toMatchObject({ bytes: 2_000_000, truncated: true, content: 'x'.repeat(65_536) });
  });

  it('headers nested too deeply for the client cost one message, not the connection', async () => {
    const lost: unknown[] = [];
    const broker = await open({ log: (level, message) => void (level === 'warn' && lost.push(message)) });
    const got: number[] = [];
    await broker.consume(topology.results, schema, (delivery) => void got.push(delivery.message.n), { prefetch: 10 });
    await sendNested(8_000);
    await send(broker, 2);
    await depth(broker, topology.dead).toBe(1);
    await expect.poll(() => got).toEqual([2]);
    expect(await listDeadLetters(broker, { limit: 10 })).toMatchObject([
      { reason: 'malformed: headers cannot be decoded' },
    ]);
    expect(lost).toEqual(['message goes to the dead letters']);
  });

  it('of a user without a right on the dead letters gets there by the queue', async () => {
    const operator = await open();
    const sandbox = await open({ topology: 'assume' });
    await sandbox.consume(topology.results, schema, () => {}, { prefetch: 1 });
    await sendRaw(operator, 'nonsense');
    await depth(operator, topology.dead).toBe(1);
    expect(await listDeadLetters(operator, { limit: 1 })).toMatchObject([
      { reason: 'rejected', queue: topology.results, content: 'nonsense', messageId: 'raw' },
    ]);
  });
});

describe('a consumer whose connection, channel or queue breaks', () => {
  it('comes back after the connection, and loses nothing that was not acknowledged', async () => {
    const proxy = await createFlakyProxy(vhost.url);
    onTestFinished(() => proxy.close());
    const direct = await open();
    const broker = await open({ url: proxy.url });
    const acknowledged = new Set<number>();
    await broker.consume(
      topology.results,
      schema,
      async (delivery) => {
        await new Promise((resolve) => setImmediate(resolve));
        acknowledged.add(delivery.message.n);
        delivery.ack();
      },
      { prefetch: 50 },
    );
    for (let round = 0; round < 5; round++) {
      await send(direct, ...Array.from({ length: 100 }, (_, n) => round * 100 + n));
      proxy.cut();
    }
    await expect.poll(() => acknowledged.size, { timeout: 20_000 }).toBe(500);
    await depth(direct).toBe(0);
  });

  it('comes back after its queue was deleted and declared again', async () => {
    const logged: string[] = [];
    const broker = await open({ log: (_, message) => void logged.push(message) });
    const got: Delivery<Message>[] = [];
    await broker.consume(topology.results, schema, (delivery) => void got.push(delivery), { prefetch: 1 });
    await send(broker, 1);
    await expect.poll(() => got.length).toBe(1);
    await broker.withChannel((channel) => channel.deleteQueue(topology.results));
    // RabbitMQ 3.10 forgets to tell the consumers of a queue that is back within milliseconds.
    await expect.poll(() => logged).toContain('consumer lost its channel');
    const again = await connect({ url: vhost.url, name: 'declares again' });
    onTestFinished(() => again.close());
    await send(again, 2);
    await expect.poll(() => got.map((delivery) => delivery.message.n), { timeout: 20_000 }).toEqual([1, 2]);
    got[0]?.ack();
    got[1]?.ack();
    await depth(broker).toBe(0);
  });

  it('comes back after RabbitMQ closed its channel, and settles nothing twice', async () => {
    const broker = await open();
    const log = () => {};
    const link = openLink({
      url: vhost.url,
      name: 'test',
      log,
      recoverForMs: 60_000,
      setup: async () => {},
      onChange: log,
    });
    onTestFinished(() => link.close());
    const channels: Channel[] = [];
    const got: Delivery<Message>[] = [];
    await startConsumer({
      link,
      settling: { log, user: broker.user, deadLetterBy: 'publish', publishRaw: broker.publishRaw },
      prepare: (channel) => {
        channels.push(channel);
        return topology.results;
      },
      schema,
      handler: (delivery) => void got.push(delivery),
      prefetch: 1,
      noAck: false,
      exclusive: false,
    });
    await send(broker, 1, 2);
    await expect.poll(() => got.length).toBe(1);
    // An acknowledgement of nothing closes the channel, as a delivery that is unacknowledged for 30 minutes does.
    channels[0]?.ack({ fields: { deliveryTag: 99 } } as ConsumeMessage);
    await expect
      .poll(() => got.map((delivery) => [delivery.message.n, delivery.redelivered]))
      .toEqual([
        [1, false],
        [1, true],
      ]);
    got[0]?.ack();
    got[1]?.ack();
    await expect.poll(() => got[2]?.message.n).toBe(2);
    expect(channels).toHaveLength(2);
  });
});

describe('a consumer says that what it was delivered comes again', () => {
  /** A broker whose consumer holds one delivery, and ways to end its connections one by one. */
  async function holding() {
    const name = `two ${randomUUID()}`;
    const logged: string[] = [];
    const broker = await open({ name, log: (_, message) => void logged.push(message) });
    const got: Delivery<Message>[] = [];
    let lost = 0;
    const consumer = await broker.consume(topology.results, schema, (delivery) => void got.push(delivery), {
      prefetch: 1,
      onLost: () => lost++,
    });
    await send(broker, 1);
    await expect.poll(() => got.length).toBe(1);
    const states: BrokerState[] = [];
    broker.onStateChange((state) => states.push(state));
    /** Waits until there is one again. */
    const end = async (connection: string) => {
      await closeConnection(connection);
      await expect.poll(() => states, { timeout: 20_000 }).toEqual(['disconnected', 'connected']);
    };
    return { name, broker, consumer, got, logged, lost: () => lost, end };
  }

  it('not when only the connection that publishes was lost: the delivery is still its own', async () => {
    const { name, broker, got, lost, end } = await holding();
    await end(name);
    expect(lost()).toBe(0);
    got[0]?.ack();
    await send(broker, 2);
    await expect.poll(() => got.map((delivery) => delivery.message.n)).toEqual([1, 2]);
    got[1]?.ack();
    await depth(broker).toBe(0);
  });

  it('when the connection that consumes was lost', async () => {
    const { name, got, lost, end } = await holding();
    await end(`${name} (consumers)`);
    expect(lost()).toBe(1);
    await expect.poll(() => got.map((delivery) => delivery.redelivered)).toEqual([false, true]);
    got[1]?.ack();
  });

  it('not when the queue was deleted with it', async () => {
    const { broker, logged, lost } = await holding();
    await broker.withChannel((channel) => channel.deleteQueue(topology.results));
    await expect.poll(() => logged).toContain('consumer lost its channel');
    const again = await connect({ url: vhost.url, name: 'declares again' });
    onTestFinished(() => again.close());
    expect(lost()).toBe(0);
  });

  it('not when it was cancelled and everything is settled', async () => {
    const { consumer, got, lost } = await holding();
    got[0]?.ack();
    await consumer.cancel();
    expect(lost()).toBe(0);
  });
});

describe('live copies', () => {
  it('reach every subscriber, also after a reconnect', async () => {
    const proxy = await createFlakyProxy(vhost.url);
    onTestFinished(() => proxy.close());
    const sender = await open();
    const broker = await open({ url: proxy.url });
    const got: number[] = [];
    const subscribed: boolean[] = [];
    for (let i = 0; i < 2; i++) {
      await broker.subscribe([targets.revocations], schema, (delivery) => void got.push(delivery.message.n), {
        onSubscribed: (again) => subscribed.push(again),
      });
    }
    await sender.publish(targets.revocations, schema, { n: 1 });
    await expect.poll(() => got).toEqual([1, 1]);
    proxy.cut();
    await expect.poll(() => subscribed, { timeout: 20_000 }).toEqual([false, false, true, true]);
    await sender.publish(targets.revocations, schema, { n: 2 });
    await expect.poll(() => got).toEqual([1, 1, 2, 2]);
  });

  it('of events are those whose routing key matches; poison among them is dropped', async () => {
    const broker = await open();
    const got: number[] = [];
    const consumer = await broker.subscribe(
      [targets.event('log', 'team-a'), targets.event('*', 'team-b')],
      schema,
      (delivery) => void got.push(delivery.message.n),
    );
    await broker.publish(targets.event('log', 'team-a'), schema, { n: 1 });
    await broker.publish(targets.event('log', 'team-a'), z.string(), 'poison');
    await broker.publish(targets.event('progress', 'team-a'), schema, { n: 2 });
    await broker.publish(targets.event('progress', 'team-b'), schema, { n: 3 });
    await expect.poll(() => got).toEqual([1, 3]);
    expect(await broker.queueDepth(topology.dead)).toMatchObject({ messages: 0 });
    await depth(broker, topology.recorder).toBe(4);
    await consumer.cancel();
    await broker.publish(targets.event('log', 'team-a'), schema, { n: 4 });
    expect(got).toEqual([1, 3]);
  });
});

/** Ends a connection by its name, which the management API lists late. */
async function closeConnection(name: string): Promise<void> {
  const url = new URL(process.env.MILLWRIGHT_TEST_RABBITMQ_MANAGEMENT_URL ?? '');
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`;
  const call = async (method: string, path: string) =>
    fetch(`${url.origin}/api/${path}`, { method, headers: { authorization } });
  let found: string | undefined;
  await expect
    .poll(
      async () => {
        const listed = (await (await call('GET', `vhosts/${vhost.vhost}/connections`)).json()) as {
          name: string;
          user_provided_name?: string;
        }[];
        found = listed.find((each) => each.user_provided_name === name)?.name;
        return found;
      },
      { timeout: 20_000 },
    )
    .toBeDefined();
  await call('DELETE', `connections/${encodeURIComponent(found ?? '')}`);
}

/** Publishes headers so deep that only a thread with a huge stack can encode them. */
async function sendNested(depth: number): Promise<void> {
  const script = `
    const { workerData } = require('node:worker_threads');
    const { connect } = require(workerData.amqplib);
    (async () => {
      const connection = await connect(workerData.url);
      const channel = await connection.createConfirmChannel();
      let headers = {};
      for (let i = 0; i < workerData.depth; i++) headers = { a: headers };
      channel.publish(workerData.exchange, '', Buffer.from('{"n":1}'), { headers });
      await channel.waitForConfirms();
      await connection.close();
    })();`;
  const amqplib = createRequire(import.meta.url).resolve('amqplib');
  const worker = new Worker(script, {
    eval: true,
    resourceLimits: { stackSizeMb: 64 },
    workerData: { amqplib, url: vhost.url, exchange: topology.results, depth },
  });
  expect(await once(worker, 'exit')).toEqual([0]);
}
