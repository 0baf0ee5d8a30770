import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { connect } from './broker.ts';
import { listDeadLetters } from './dead-letters.ts';
import { PublishError, RefusedError } from './errors.ts';
import { parsePoolUser, poolPermissions, poolTopicPermissions, poolUser } from './management.ts';
import { createTestVhost, type TestVhost } from './testing.ts';
import { declareWorkQueue, targets, topology, workQueue } from './topology.ts';
import type { Broker, BrokerOptions, Delivery } from './types.ts';

const schema = z.strictObject({ n: z.int() });
const key = { namespace: 'team-a', engine: 'runner', image: 'node:24', capabilities: ['node'] } as const;

let vhost: TestVhost;
beforeAll(async () => {
  vhost = await createTestVhost();
});
afterAll(() => vhost.remove());

async function open(options: Partial<BrokerOptions> = {}): Promise<Broker> {
  const broker = await connect({ url: vhost.url, name: 'test', ...options });
  onTestFinished(() => broker.close());
  return broker;
}

const depth = (broker: Broker, queue: string) =>
  expect.poll(async () => (await broker.queueDepth(queue)).messages, { timeout: 20_000 });

describe('topology', () => {
  it('is declared again without complaint, and shows in the management', async () => {
    await open();
    const broker = await open();
    const queue = await broker.ensureWorkQueue(key);
    await expect
      .poll(async () => (await vhost.management.listQueues()).map(({ name }) => name).sort(), { timeout: 20_000 })
      .toEqual(
        [
          topology.recorder,
          topology.dead,
          topology.effects,
          topology.answers,
          topology.probes,
          topology.results,
          'millwright.retry.5s',
          'millwright.retry.60s',
          queue,
        ].sort(),
      );
    expect(await vhost.management.listQueues('work.')).toMatchObject([{ name: queue, consumers: 0 }]);
  });

  it('routes results, effects, their answers and events to their queues', async () => {
    const broker = await open();
    await broker.publish(targets.results, schema, { n: 1 });
    await broker.publish(targets.effects, schema, { n: 1 });
    await broker.publish(targets.answers, schema, { n: 1 });
    await broker.publish(targets.event('log', 'team-a'), schema, { n: 1 });
    for (const queue of [topology.results, topology.effects, topology.answers, topology.recorder])
      await depth(broker, queue).toBe(1);
  });

  it('makes a work queue anew after somebody deleted it', async () => {
    const broker = await open();
    const queue = await broker.ensureWorkQueue(key);
    await broker.withChannel((channel) => channel.deleteQueue(queue));
    await expect(broker.publish(targets.work(queue), schema, { n: 1 })).rejects.toThrow(PublishError);
    expect(await broker.ensureWorkQueue(key)).toBe(queue);
    await broker.publish(targets.work(queue), schema, { n: 1 });
    await depth(broker, queue).toBe(1);
  });

  it('lets an unused work queue expire, but not while it is declared again with work in it', async () => {
    const broker = await open();
    const declare = (name: string) =>
      broker.withChannel((channel) => declareWorkQueue(channel, workQueue(name, 2_000)));
    await declare('work.team-a.idle');
    await declare('work.team-a.waiting');
    await broker.publish(targets.work('work.team-a.idle'), schema, { n: 1 });
    await broker.publish(targets.work('work.team-a.waiting'), schema, { n: 1 });
    const checked: number[] = [];
    await expect
      .poll(
        async () => {
          await declare('work.team-a.waiting');
          checked.push((await broker.queueDepth('work.team-a.waiting')).messages);
          return (await broker.queueDepth('work.team-a.idle')).messages;
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe(0);
    await depth(broker, 'work.team-a.waiting').toBe(1);
  });
});

describe('requeue with a delay', () => {
  it('returns work after a stay in the retry queue, counted, with its identity', async () => {
    const broker = await open();
    const queue = await broker.ensureWorkQueue({ ...key, image: 'retry' });
    const got: Delivery<{ n: number }>[] = [];
    const times: number[] = [];
    await broker.consume(
      queue,
      schema,
      (delivery) => {
        got.push(delivery);
        times.push(performance.now());
        if (got.length < 2) delivery.requeue(1_000);
        else delivery.ack();
      },
      { prefetch: 1 },
    );
    await broker.publish(targets.work(queue), schema, { n: 1 }, { messageId: 'uid:1' });
    await expect.poll(() => got.length, { timeout: 20_000 }).toBe(2);
    expect(got[1]).toMatchObject({
      messageId: 'uid:1',
      message: { n: 1 },
      queue,
      headers: { 'x-millwright-retries': 1 },
    });
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(4_500);
    await depth(broker, 'millwright.retry.5s').toBe(0);
  });

  it('returns an effect the same way, and holds none of its deliveries meanwhile', async () => {
    const broker = await open();
    await broker.withChannel((channel) => channel.purgeQueue(topology.effects));
    const got: Delivery<{ n: number }>[] = [];
    await broker.consume(
      topology.effects,
      schema,
      (delivery) => {
        got.push(delivery);
        if (delivery.message.n === 1 && !delivery.headers['x-millwright-retries']) delivery.requeue(1_000);
        else delivery.ack();
      },
      { prefetch: 1 },
    );
    await broker.publish(targets.effects, schema, { n: 1 }, { messageId: 'uid:1:branch' });
    await broker.publish(targets.effects, schema, { n: 2 });
    await expect.poll(() => got.map(({ message }) => message.n), { timeout: 20_000 }).toEqual([1, 2, 1]);
    expect(got[2]).toMatchObject({ messageId: 'uid:1:branch', headers: { 'x-millwright-retries': 1 } });
  });

  it('keeps the work as a dead letter when its queue is gone meanwhile', async () => {
    const broker = await open();
    const queue = await broker.ensureWorkQueue({ ...key, image: 'gone' });
    const consumer = await broker.consume(queue, schema, (delivery) => delivery.requeue(1_000), { prefetch: 1 });
    await broker.publish(targets.work(queue), schema, { n: 5 });
    await depth(broker, 'millwright.retry.5s').toBe(1);
    await consumer.cancel();
    await broker.withChannel((channel) => channel.deleteQueue(queue));
    await depth(broker, topology.dead).toBe(1);
    expect(await listDeadLetters(broker, { limit: 1 })).toMatchObject([
      { queue, reason: `unroutable: work queue ${queue} is gone`, content: '{"n":5}' },
    ]);
  });
});

describe('the user of a pool', () => {
  let operator: Broker;
  let sandbox: Broker;
  const user = () => poolUser('team-a', `p-${vhost.vhost}`);

  beforeAll(async () => {
    operator = await connect({ url: vhost.url, name: 'operator' });
    await operator.withChannel((channel) => channel.purgeQueue(topology.results));
    const spec = {
      name: user(),
      password: 'secret',
      permissions: poolPermissions('team-a'),
      topicPermissions: poolTopicPermissions('team-a'),
    };
    await vhost.management.ensureUser(spec);
    await vhost.management.ensureUser(spec);
    expect(await vhost.management.listUsers(user())).toEqual([user()]);
    const other = await createTestVhost();
    try {
      expect(await other.management.listUsers()).not.toContain(user());
      await other.management.ensureUser(spec);
      expect(await vhost.management.listUsers(user())).toEqual([]);
    } finally {
      await other.remove();
    }
    sandbox = await connect({ url: vhost.urlFor(user(), 'secret'), name: 'sandbox', topology: 'assume' });
  });
  afterAll(async () => {
    await sandbox.close();
    await operator.close();
    await vhost.management.deleteUser(user());
    await vhost.management.deleteUser(user());
    expect(await vhost.management.listUsers(user())).toEqual([]);
  });

  it('takes work of its namespace, claims it, hears what is said to its namespace and sends events', async () => {
    const queue = await operator.ensureWorkQueue(key);
    await operator.withChannel((channel) => channel.purgeQueue(queue));
    const heard: number[] = [];
    await sandbox.subscribe([targets.agents('team-a')], schema, (delivery) => void heard.push(delivery.message.n));
    const granted = new Promise<number>((resolve, reject) => {
      sandbox
        .consume(
          queue,
          schema,
          async (delivery) => {
            const reply = await sandbox.request(targets.results, schema, { n: delivery.message.n + 1 }, schema, {
              timeoutMs: 20_000,
            });
            delivery.ack();
            resolve(reply.n);
          },
          { prefetch: 1 },
        )
        .catch(reject);
    });
    const claimants: (string | undefined)[] = [];
    const consumer = await operator.consume(
      topology.results,
      schema,
      async (delivery) => {
        claimants.push(delivery.userId);
        await operator.reply(
          delivery.replyTo ?? '',
          schema,
          { n: delivery.message.n + 1 },
          { correlationId: delivery.correlationId },
        );
        delivery.ack();
      },
      { prefetch: 2_000 },
    );
    await operator.publish(targets.work(queue), schema, { n: 1 });
    expect(await granted).toBe(3);
    expect(claimants).toEqual([user()]);
    expect(parsePoolUser(claimants[0])?.namespace).toBe('team-a');
    await operator.publish(targets.agents('team-b'), schema, { n: 8 }, { mandatory: false });
    await operator.publish(targets.agents('team-a'), schema, { n: 9 });
    await expect.poll(() => heard).toEqual([9]);
    await sandbox.publish(targets.event('log', 'team-a'), schema, { n: 1 });
    await consumer.cancel();
  });

  it('may return work for later', async () => {
    const target = { exchange: topology.retry('60s'), routingKey: 'work.team-a.0' };
    await sandbox.publish(target, schema, { n: 1 });
    await depth(operator, topology.retry('60s')).toBe(1);
  });

  it.each([
    ['effects', targets.effects],
    ['answers to effects', targets.answers],
    ['agents', targets.agents('team-a')],
    ['git hosts', targets.revocations],
    ['work', targets.work('work.team-a.0')],
    ['dead letters', { exchange: topology.dead, routingKey: '' }],
    ['the default exchange, which reaches every queue', { exchange: '', routingKey: topology.effects }],
    ['events of another namespace', targets.event('log', 'team-b')],
    ['snapshots, which only the operator makes', targets.event('snapshot', 'team-a')],
    [
      'work of another namespace, by way of a retry queue',
      { exchange: topology.retry('5s'), routingKey: 'work.team-b.0' },
    ],
  ])('may not publish to %s', async (_, target) => {
    await expect(sandbox.publish(target, schema, { n: 1 })).rejects.toThrow(/ACCESS.REFUSED/);
  });

  it.each([topology.results, topology.effects, topology.answers, topology.dead, topology.recorder])(
    'may not read %s',
    async (queue) => {
      await expect(sandbox.consume(queue, schema, () => {}, { prefetch: 1 })).rejects.toMatchObject({
        name: 'RefusedError',
        code: 403,
      });
    },
  );

  it('may not read work of another namespace, nor make or delete queues', async () => {
    const foreign = await operator.ensureWorkQueue({ ...key, namespace: 'team-b' });
    await expect(sandbox.consume(foreign, schema, () => {}, { prefetch: 1 })).rejects.toThrow(RefusedError);
    await expect(sandbox.ensureWorkQueue({ ...key, image: 'new' })).rejects.toThrow(RefusedError);
    await expect(sandbox.withChannel((channel) => channel.deleteQueue(foreign))).rejects.toThrow(RefusedError);
  });

  it.each([
    ['another namespace', targets.agents('team-b')],
    ['all namespaces', targets.agents('#')],
    ['git hosts', targets.revocations],
    ['the events of its namespace', targets.event('*', 'team-a')],
  ])('may not hear what is said to %s', async (_, target) => {
    await expect(sandbox.subscribe([target], schema, () => {})).rejects.toThrow(RefusedError);
  });

  it('may not pass for another user', async () => {
    const forged = sandbox.withChannel(async (channel) => {
      channel.publish(topology.results, '', Buffer.from('{"n":1}'), { userId: operator.user });
      // A round trip, so that the refusal has come.
      await channel.checkExchange(topology.results);
    });
    await expect(forged).rejects.toMatchObject({ code: 406 });
  });
});
