import type { GetMessage } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { connect } from './broker.ts';
import { dropDeadLetters, findDeadLetter, listDeadLetters, redriveDeadLetters } from './dead-letters.ts';
import { deadLettersCommand } from './dead-letters-cli.ts';
import { createTestVhost, type TestVhost } from './testing.ts';
import { topology } from './topology.ts';
import type { Broker, Delivery } from './types.ts';

const schema = z.strictObject({ n: z.int() });
const original = {
  messageId: 'm',
  correlationId: 'c',
  type: 't',
  timestamp: 1_700_000_000,
  contentType: 'application/json',
};

let vhost: TestVhost;
beforeAll(async () => {
  vhost = await createTestVhost();
  await vhost.management.ensureUser({
    name: `foreign-${vhost.vhost}`,
    password: 'secret',
    permissions: { configure: '', write: '.*', read: '' },
  });
});
afterAll(async () => {
  await vhost.management.deleteUser(`foreign-${vhost.vhost}`);
  await vhost.remove();
});

async function open(): Promise<Broker> {
  const broker = await connect({ url: vhost.url, name: 'test' });
  onTestFinished(() => broker.close());
  for (const queue of [topology.results, topology.dead])
    await broker.withChannel((channel) => channel.purgeQueue(queue));
  return broker;
}

const depth = (broker: Broker, queue: string) => expect.poll(async () => (await broker.queueDepth(queue)).messages);

/** Messages of a foreign user on the results queue, moved to the dead letters by a consumer that cannot read them. */
async function bury(broker: Broker, ...contents: string[]): Promise<void> {
  const foreign = await connect({
    url: vhost.urlFor(`foreign-${vhost.vhost}`, 'secret'),
    name: 'foreign',
    topology: 'assume',
  });
  for (const content of contents) {
    const target = { exchange: topology.results, routingKey: 'key' };
    await foreign.publishRaw(target, Buffer.from(content), {
      ...original,
      headers: { kept: 1, 'x-millwright-queue': topology.effects },
    });
  }
  await foreign.close();
  const consumer = await broker.consume(topology.results, schema, () => {}, { prefetch: 10 });
  await depth(broker, topology.dead).toBe(contents.length);
  await consumer.cancel();
}

const take = (broker: Broker, queue: string): Promise<GetMessage | false> =>
  broker.withChannel((channel) => channel.get(queue, { noAck: true }));

describe('dead letters', () => {
  it('are listed in order, any number of times, without being changed', async () => {
    const broker = await open();
    await bury(broker, '"a"', '"b"', '"c"');
    const first = await listDeadLetters(broker, { limit: 2 });
    expect(first.map((letter) => letter.content)).toEqual(['"a"', '"b"']);
    for (let i = 0; i < 25; i++) {
      const ids = (await listDeadLetters(broker, { limit: 2 })).map((letter) => letter.id);
      expect(ids).toEqual(first.map((letter) => letter.id));
    }
    await depth(broker, topology.dead).toBe(3);
  });

  it('are re-driven exactly as they were, to the queue they came from, with the user they came from', async () => {
    const broker = await open();
    await bury(broker, '"poison"');
    expect(await redriveDeadLetters(broker, { all: true })).toBe(1);
    await depth(broker, topology.dead).toBe(0);
    const got: Delivery<string>[] = [];
    await broker.consume(topology.results, z.string(), (delivery) => void got.push(delivery), { prefetch: 1 });
    await expect
      .poll(() => got[0])
      .toMatchObject({
        message: 'poison',
        messageId: 'm',
        correlationId: 'c',
        userId: `foreign-${vhost.vhost}`,
        headers: { kept: 1 },
      });
    got[0]?.requeue();
    await broker.close();
    const again = await connect({ url: vhost.url, name: 'reads' });
    onTestFinished(() => again.close());
    const raw = await take(again, topology.results);
    expect(raw ? raw.properties : undefined).toMatchObject(original);
  });

  it('die again with the first publisher still known', async () => {
    const broker = await open();
    await bury(broker, '"poison"');
    await redriveDeadLetters(broker, { all: true });
    await broker.consume(topology.results, schema, () => {}, { prefetch: 1 });
    await depth(broker, topology.dead).toBe(1);
    expect(await listDeadLetters(broker, { limit: 1 })).toMatchObject([{ userId: `foreign-${vhost.vhost}` }]);
  });

  it('never gain the identity of who re-drives them', async () => {
    const broker = await open();
    await broker.withChannel(async (channel) => void channel.publish(topology.results, '', Buffer.from('"anonymous"')));
    const burying = await broker.consume(topology.results, schema, () => {}, { prefetch: 1 });
    await depth(broker, topology.dead).toBe(1);
    await burying.cancel();
    await redriveDeadLetters(broker, { all: true });
    const got: Delivery<string>[] = [];
    await broker.consume(topology.results, z.string(), (delivery) => void got.push(delivery), { prefetch: 1 });
    await expect.poll(() => got.length).toBe(1);
    expect(got[0]?.userId).toBeUndefined();
  });

  it('stay when the queue they came from is gone, with a word on why; the others go', async () => {
    const broker = await open();
    await bury(broker, '"a"');
    const queue = await broker.ensureWorkQueue({ namespace: 'n', engine: 'runner', image: 'i', capabilities: [] });
    await broker.publish({ exchange: topology.work, routingKey: queue }, z.string(), 'b');
    const consumer = await broker.consume(queue, schema, () => {}, { prefetch: 1 });
    await depth(broker, topology.dead).toBe(2);
    await consumer.cancel();
    await broker.withChannel((channel) => channel.deleteQueue(queue));
    const failures: string[] = [];
    expect(await redriveDeadLetters(broker, { all: true }, (letter) => failures.push(letter.content))).toBe(1);
    expect(failures).toEqual(['"b"']);
    await depth(broker, topology.dead).toBe(1);
    await broker.ensureWorkQueue({ namespace: 'n', engine: 'runner', image: 'i', capabilities: [] });
    expect(await redriveDeadLetters(broker, { all: true })).toBe(1);
    await depth(broker, queue).toBe(1);
  });

  it('can be chosen one by one', async () => {
    const broker = await open();
    await bury(broker, '"a"', '"b"', '"c"');
    const [, second, third] = await listDeadLetters(broker, { limit: 10 });
    expect(await redriveDeadLetters(broker, { ids: [second?.id ?? ''] })).toBe(1);
    expect(await dropDeadLetters(broker, { ids: [third?.id ?? '', 'unknown'] })).toBe(1);
    expect((await listDeadLetters(broker, { limit: 10 })).map((letter) => letter.content)).toEqual(['"a"']);
    expect(await findDeadLetter(broker, second?.id ?? '')).toBeUndefined();
    const raw = await take(broker, topology.results);
    expect(raw ? raw.content.toString() : undefined).toBe('"b"');
  });
});

describe('the command', () => {
  async function run(...argv: string[]) {
    const lines: string[] = [];
    const code = await deadLettersCommand(
      argv,
      () => vhost.url,
      (line) => lines.push(line),
    );
    return { code, text: lines.join('\n') };
  }

  it('lists, shows, re-drives and drops', async () => {
    const broker = await open();
    expect(await run('list')).toEqual({ code: 0, text: 'no dead letters' });
    await bury(broker, '"a\u001b[2J"', '"b"');
    const [first, second] = await listDeadLetters(broker, { limit: 10 });
    const list = await run('list');
    expect(list.code).toBe(0);
    expect(list.text).toMatch(/^ID +DIED +QUEUE +FROM +MESSAGE +REASON\n/);
    expect(list.text).toContain(`${first?.id}  ${first?.diedAt}  millwright.results  foreign-`);
    expect(list.text.split('\n')).toHaveLength(3);
    expect(JSON.parse((await run('list', '--json', '--limit', '1')).text)).toHaveLength(1);
    const shown = await run('show', first?.id ?? '');
    expect(shown.text).toContain('"a');
    expect(shown.text).not.toContain('\u001b');
    expect(await run('show', 'nope')).toEqual({ code: 1, text: 'no dead letter nope' });
    expect(await run('redrive', second?.id ?? '')).toEqual({ code: 0, text: '1 re-driven' });
    expect(await run('redrive', 'nope')).toEqual({ code: 1, text: '0 re-driven' });
    expect(await run('drop', '--all')).toEqual({ code: 0, text: '1 dropped' });
  });
});
