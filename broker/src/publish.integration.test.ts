import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { connect } from './broker.ts';
import { ClosedError, ConnectionLostError, InvalidMessageError, PublishError, UnroutableError } from './errors.ts';
import { createFlakyProxy, createTestVhost, type TestVhost } from './testing.ts';
import { targets, topology } from './topology.ts';
import type { Broker, BrokerOptions } from './types.ts';

const schema = z.strictObject({ n: z.int(), pad: z.string().optional() });

let vhost: TestVhost;
beforeAll(async () => {
  vhost = await createTestVhost();
});
afterAll(() => vhost.remove());

async function open(options: Partial<BrokerOptions> = {}): Promise<Broker> {
  const broker = await connect({ url: vhost.url, name: 'test', ...options });
  onTestFinished(() => broker.close());
  await broker.withChannel((channel) => channel.purgeQueue(topology.results));
  return broker;
}

async function readAll(broker: Broker): Promise<number[]> {
  return broker.withChannel(async (channel) => {
    const numbers: number[] = [];
    for (;;) {
      const message = await channel.get(topology.results, { noAck: true });
      if (!message) return numbers;
      numbers.push(JSON.parse(message.content.toString()).n);
    }
  });
}

describe('publish', () => {
  it('sets what a reader may rely on', async () => {
    const broker = await open();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await broker.publish(targets.results, schema, { n: 1 }, { messageId: 'm1', traceparent });
    const message = await broker.withChannel((channel) => channel.get(topology.results, { noAck: true }));
    expect(message ? message.properties : undefined).toMatchObject({
      messageId: 'm1',
      userId: broker.user,
      deliveryMode: 2,
      contentType: 'application/json',
      headers: { traceparent },
      timestamp: expect.closeTo(Date.now() / 1000, -2),
    });
  });

  it('keeps the order of what is published without waiting, and confirms each', async () => {
    const confirmed: string[] = [];
    const broker = await open({ onConfirm: (exchange) => confirmed.push(exchange) });
    const numbers = Array.from({ length: 2_000 }, (_, n) => n);
    await Promise.all(numbers.map((n) => broker.publish(targets.results, schema, { n })));
    expect(confirmed).toHaveLength(2_000);
    expect(await readAll(broker)).toEqual(numbers);
  });

  it('tells exactly which of many messages no queue takes, even under one message id', async () => {
    const failed: string[] = [];
    const broker = await open({ onFailure: (exchange, error) => failed.push(`${exchange} ${error.name}`) });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 300 }, (_, n) =>
        broker.publish(
          n % 3 === 0 ? targets.work('work.nobody.0') : targets.results,
          schema,
          { n },
          { messageId: 'same' },
        ),
      ),
    );
    outcomes.forEach((outcome, n) => {
      if (n % 3 === 0) expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(UnroutableError) });
      else expect(outcome.status).toBe('fulfilled');
    });
    expect(failed).toEqual(Array(100).fill(`${topology.work} UnroutableError`));
    expect(await readAll(broker)).toHaveLength(200);
  });

  it('publishes without mandatory into nothing, if told so', async () => {
    const broker = await open();
    await broker.publish(targets.work('work.nobody.0'), schema, { n: 1 }, { mandatory: false });
  });

  it('rejects, and never throws, on an invalid message', async () => {
    const broker = await open();
    await expect(broker.publish(targets.results, schema, { n: 0.5 })).rejects.toThrow(InvalidMessageError);
    expect(await readAll(broker)).toEqual([]);
  });

  it('survives an exchange that does not exist: later messages get through', async () => {
    const broker = await open();
    await expect(broker.publish({ exchange: 'no.such', routingKey: '' }, schema, { n: 1 })).rejects.toThrow(/no\.such/);
    await broker.publish(targets.results, schema, { n: 2 });
    expect(await readAll(broker)).toEqual([2]);
  });

  it('rejects when the queue refuses the message', async () => {
    const broker = await open();
    await broker.withChannel((channel) =>
      channel.assertQueue('full', {
        durable: true,
        // Classic, because a quorum queue notices only some messages later that it is full.
        arguments: { 'x-queue-type': 'classic', 'x-max-length': 1, 'x-overflow': 'reject-publish' },
      }),
    );
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) => broker.publish({ exchange: '', routingKey: 'full' }, schema, { n })),
    );
    expect(outcomes.filter((outcome) => outcome.status === 'rejected').length).toBeGreaterThan(0);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(PublishError);
  });

  it('says how long one confirmed message takes', async () => {
    const broker = await open();
    const times: number[] = [];
    for (let n = 0; n < 200; n++) {
      const started = performance.now();
      await broker.publish(targets.results, schema, { n, pad: 'x'.repeat(1_000) });
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    console.log(`confirmed publish of 1 kB: p50 ${times[100]?.toFixed(2)} ms, p90 ${times[180]?.toFixed(2)} ms`);
    expect(await readAll(broker)).toHaveLength(200);
  });
});

describe('a connection that breaks', () => {
  async function flaky() {
    const proxy = await createFlakyProxy(vhost.url);
    onTestFinished(() => proxy.close());
    const broker = await open({ url: proxy.url });
    return { proxy, broker };
  }

  const became = (broker: Broker, state: string) =>
    new Promise<void>((resolve) => {
      const stop = broker.onStateChange((next) => {
        if (next !== state) return;
        stop();
        resolve();
      });
    });

  it('rejects what was in flight as not known, and it may have arrived', async () => {
    const { proxy, broker } = await flaky();
    const other = await open();
    proxy.deaf = true;
    const publishing = broker.publish(targets.results, schema, { n: 1 });
    publishing.catch(() => {});
    await expect.poll(() => other.queueDepth(topology.results)).toMatchObject({ messages: 1 });
    proxy.deaf = false;
    proxy.cut();
    await expect(publishing).rejects.toThrow(ConnectionLostError);
    await expect(publishing).rejects.toMatchObject({ arrived: 'unknown' });
  });

  it('sends what was published meanwhile, in order, once it is back', async () => {
    const { proxy, broker } = await flaky();
    const down = became(broker, 'disconnected');
    proxy.refuse = true;
    proxy.cut();
    await down;
    expect(broker.connected).toBe(false);
    const publishing = Promise.all([1, 2, 3].map((n) => broker.publish(targets.results, schema, { n })));
    proxy.refuse = false;
    await publishing;
    expect(broker.connected).toBe(true);
    expect(await readAll(broker)).toEqual([1, 2, 3]);
  });

  it('loses nothing over many breaks when the caller repeats what was not confirmed', async () => {
    const proxy = await createFlakyProxy(vhost.url);
    onTestFinished(() => proxy.close());
    let confirmed = 0;
    let breaks = 0;
    const onConfirm = () => {
      if (++confirmed % 400 !== 0) return;
      breaks++;
      proxy.cut();
    };
    const broker = await open({ url: proxy.url, onConfirm });
    const send = async (n: number): Promise<void> => {
      for (;;) {
        try {
          return await broker.publish(targets.results, schema, { n }, { messageId: String(n) });
        } catch (error) {
          if (!(error instanceof ConnectionLostError)) throw error;
        }
      }
    };
    for (let batch = 0; batch < 10; batch++) {
      await Promise.all(Array.from({ length: 200 }, (_, n) => send(batch * 200 + n)));
    }
    expect(breaks).toBeGreaterThanOrEqual(5);
    const direct = await connect({ url: vhost.url, name: 'reader' });
    onTestFinished(() => direct.close());
    expect(new Set(await readAll(direct)).size).toBe(2_000);
  });

  it('gives up waiting for a connection after the given time, with certainty', async () => {
    const { proxy, broker } = await flaky();
    const down = became(broker, 'disconnected');
    proxy.refuse = true;
    proxy.cut();
    await down;
    const publishing = broker.publish(targets.results, schema, { n: 1 }, { timeoutMs: 300 });
    await expect(publishing).rejects.toMatchObject({ name: 'PublishError', arrived: 'no' });
  });

  it('gives up waiting for a confirmation after the given time, without certainty', async () => {
    const { proxy, broker } = await flaky();
    proxy.deaf = true;
    const publishing = broker.publish(targets.results, schema, { n: 1 }, { timeoutMs: 300 });
    await expect(publishing).rejects.toMatchObject({ name: 'PublishError', arrived: 'unknown' });
    proxy.cut();
  });

  it('closes with an error when it does not come back in time', async () => {
    const proxy = await createFlakyProxy(vhost.url);
    onTestFinished(() => proxy.close());
    const broker = await connect({ url: proxy.url, name: 'impatient', recoverForMs: 300 });
    proxy.refuse = true;
    proxy.cut();
    const error = await broker.closed;
    expect(error?.message).toMatch(/no connection to the broker/);
    await expect(broker.publish(targets.results, schema, { n: 1 })).rejects.toThrow(ClosedError);
  });
});

describe('connect and close', () => {
  it.each([
    ['a wrong password', () => vhost.urlFor('nobody', 'wrong'), /ACCESS.REFUSED/],
    ['a virtual host that does not exist', () => `${vhost.url}-nope`, /ConnectionClose/],
  ])('refuses %s after some patience', async (_, url, reason) => {
    await expect(connect({ url: url(), name: 'test' })).rejects.toThrow(reason);
  });

  it('refuses a queue that exists with other arguments', async () => {
    const other = await createTestVhost();
    onTestFinished(() => other.remove());
    const first = await connect({ url: other.url, name: 'test', topology: 'assume' });
    await first.withChannel((channel) => channel.assertQueue(topology.results, { durable: true }));
    await first.close();
    await expect(connect({ url: other.url, name: 'test' })).rejects.toMatchObject({ name: 'RefusedError', code: 406 });
  });

  it('waits for confirmations when closing, and refuses what comes later', async () => {
    const broker = await connect({ url: vhost.url, name: 'test' });
    const publishing = Promise.all(
      Array.from({ length: 100 }, (_, n) => broker.publish(targets.results, schema, { n })),
    );
    await broker.close();
    await publishing;
    expect(await broker.closed).toBeUndefined();
    await expect(broker.publish(targets.results, schema, { n: 1 })).rejects.toThrow(ClosedError);
    await expect(broker.queueDepth(topology.results)).rejects.toThrow(ClosedError);
    await broker.close();
  });
});
