import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { connect } from './broker.ts';
import { ConnectionLostError, InvalidMessageError, RequestTimeoutError, UnroutableError } from './errors.ts';
import { createFlakyProxy, createTestVhost, type TestVhost } from './testing.ts';
import { targets, topology } from './topology.ts';
import type { Broker, Delivery } from './types.ts';

const question = z.strictObject({ ask: z.int() });
const answer = z.strictObject({ say: z.int() });
type Question = z.infer<typeof question>;

let vhost: TestVhost;
beforeAll(async () => {
  vhost = await createTestVhost();
});
afterAll(() => vhost.remove());

async function open(url = vhost.url): Promise<Broker> {
  const broker = await connect({ url, name: 'test' });
  onTestFinished(() => broker.close());
  await broker.withChannel((channel) => channel.purgeQueue(topology.results));
  return broker;
}

const answering = (broker: Broker, handler: (delivery: Delivery<Question>) => void | Promise<void>) =>
  broker.consume(
    topology.results,
    question,
    async (delivery) => {
      await handler(delivery);
      delivery.ack();
    },
    { prefetch: 1_000 },
  );

const tenTimes = (broker: Broker) => (delivery: Delivery<Question>) =>
  broker.reply(
    delivery.replyTo ?? '',
    answer,
    { say: delivery.message.ask * 10 },
    { correlationId: delivery.correlationId },
  );

describe('request', () => {
  it('gives each of many concurrent requests its own answer', async () => {
    const server = await open();
    const client = await open();
    await answering(server, tenTimes(server));
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, ask) =>
        client.request(targets.results, question, { ask }, answer, { timeoutMs: 20_000 }),
      ),
    );
    expect(answers).toEqual(Array.from({ length: 200 }, (_, ask) => ({ say: ask * 10 })));
  });

  it('rejects when no answer comes in time, and ignores one that comes later', async () => {
    const server = await open();
    const client = await open();
    const late: Delivery<Question>[] = [];
    await answering(server, (delivery) => void late.push(delivery));
    await expect(client.request(targets.results, question, { ask: 1 }, answer, { timeoutMs: 200 })).rejects.toThrow(
      RequestTimeoutError,
    );
    const [first] = late;
    if (!first) throw new Error('the request did not arrive');
    await tenTimes(server)(first);
    const next = client.request(targets.results, question, { ask: 2 }, answer, { timeoutMs: 20_000 });
    await expect.poll(() => late.length).toBe(2);
    if (late[1]) await tenTimes(server)(late[1]);
    expect(await next).toEqual({ say: 20 });
  });

  it('rejects at once when no queue takes it', async () => {
    const client = await open();
    const asking = client.request(targets.work('work.nobody.0'), question, { ask: 1 }, answer, { timeoutMs: 20_000 });
    await expect(asking).rejects.toThrow(UnroutableError);
  });

  it('rejects an answer of another schema', async () => {
    const server = await open();
    const client = await open();
    await answering(server, (delivery) =>
      server.reply(delivery.replyTo ?? '', z.string(), 'what?', { correlationId: delivery.correlationId }),
    );
    const asking = client.request(targets.results, question, { ask: 1 }, answer, { timeoutMs: 20_000 });
    await expect(asking).rejects.toThrow(InvalidMessageError);
  });

  it('rejects when the connection breaks before the answer, and works again afterwards', async () => {
    const proxy = await createFlakyProxy(vhost.url);
    onTestFinished(() => proxy.close());
    const server = await open();
    const client = await open(proxy.url);
    let silent = true;
    await answering(server, (delivery) => {
      if (silent) proxy.cut();
      else return tenTimes(server)(delivery);
    });
    const asking = client.request(targets.results, question, { ask: 1 }, answer, { timeoutMs: 20_000 });
    await expect(asking).rejects.toThrow(ConnectionLostError);
    silent = false;
    expect(await client.request(targets.results, question, { ask: 2 }, answer, { timeoutMs: 20_000 })).toEqual({
      say: 20,
    });
  });
});

describe('isWaiting', () => {
  it('tells a requester that is there from one that is gone', async () => {
    const server = await open();
    const client = await connect({ url: vhost.url, name: 'leaves' });
    const got: Delivery<Question>[] = [];
    await answering(server, (delivery) => void got.push(delivery));
    client.request(targets.results, question, { ask: 1 }, answer, { timeoutMs: 20_000 }).catch(() => {});
    await expect.poll(() => got.length).toBe(1);
    const address = got[0]?.replyTo ?? '';
    expect(await server.isWaiting(address)).toBe(true);
    await client.close();
    await expect.poll(() => server.isWaiting(address)).toBe(false);
    expect(await server.isWaiting(topology.results)).toBe(false);
    expect(server.connected).toBe(true);
  });
});

describe('reply', () => {
  it('to a requester that is gone harms nobody', async () => {
    const server = await open();
    const client = await connect({ url: vhost.url, name: 'leaves' });
    const got: Delivery<Question>[] = [];
    await answering(server, (delivery) => void got.push(delivery));
    const asking = client.request(targets.results, question, { ask: 1 }, answer, { timeoutMs: 20_000 });
    asking.catch(() => {});
    await expect.poll(() => got.length).toBe(1);
    await client.close();
    await expect(asking).rejects.toThrow();
    if (got[0]) await tenTimes(server)(got[0]);
    expect(server.connected).toBe(true);
  });

  it.each([topology.effects, 'work.team-a.0', 'amq.rabbitmq.reply-to', ''])(
    'refuses to be led to "%s"',
    async (address) => {
      const server = await open();
      await expect(server.reply(address, answer, { say: 1 }, {})).rejects.toThrow(InvalidMessageError);
    },
  );
});
