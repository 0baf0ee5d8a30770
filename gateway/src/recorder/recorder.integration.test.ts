import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Broker, connect, listDeadLetters, targets, topology } from '@millwright/broker';
import { createTestVhost, type TestVhost } from '@millwright/broker/testing';
import { type EventMessage, eventMessage } from '@millwright/crds';
import { type TestDatabase, testDatabase } from '@millwright/local/testing';
import { createMetrics, silentLogger } from '@millwright/otel';
import { createStore } from '@millwright/supabase';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRecorder, type Recorder } from './recorder.ts';

let vhost: TestVhost;
let database: TestDatabase;
let broker: Broker;
let cleanUp: AsyncDisposableStack;

beforeEach(async () => {
  cleanUp = new AsyncDisposableStack();
  vhost = cleanUp.use(await createTestVhost());
  database = cleanUp.use(await testDatabase());
  broker = await connect({ url: vhost.url, name: 'recorder-test', topology: 'declare' });
  cleanUp.defer(() => broker.close());
});
afterEach(() => cleanUp.disposeAsync());

function line(sequence: number, text = `line ${sequence}`): EventMessage {
  return {
    type: 'log',
    id: `log:${sequence}`,
    namespace: 'team-a',
    at: new Date(Date.UTC(2026, 10, 1) + sequence).toISOString(),
    task: { uid: 't', namespace: 'team-a', name: 't' },
    attempt: 1,
    kind: 'run',
    sequence,
    stream: 'stdout',
    text,
  };
}

function snapshot(uid: string, version: number, phase: string, status: Record<string, unknown> = {}): EventMessage {
  return {
    type: 'snapshot',
    id: `${uid}:${version}`,
    namespace: 'team-a',
    at: new Date(Date.UTC(2026, 10, 1) + version).toISOString(),
    kind: 'Workflow',
    uid,
    name: uid,
    resourceVersion: String(version),
    createdAt: '2026-11-01T00:00:00.000Z',
    spec: {},
    status: { phase, ...status },
  };
}

const publish = (message: EventMessage) =>
  broker.publish(targets.event(message.type, message.namespace), eventMessage, message);
const publishLines = (from: number, to: number) =>
  Promise.all(Array.from({ length: to - from }, (_, index) => publish(line(from + index))));

function record(
  more: Partial<Parameters<typeof createRecorder>[0]> = {},
): Recorder & { metricsText(): Promise<string> } {
  const metrics = createMetrics('recorder');
  const recorder = createRecorder({
    broker,
    store: createStore({ url: database.url, key: database.serviceKey }),
    metrics,
    log: silentLogger,
    batchSize: 100,
    batchWaitMs: 20,
    maxPauseMs: 300,
    ...more,
  });
  cleanUp.defer(() => recorder.close());
  return { ...recorder, metricsText: () => metrics.text() };
}

const recordedLines = async () => {
  const [row] = await database.sql<{ count: number }>(`select count(*)::integer from events where type = 'log'`);
  return row?.count ?? 0;
};
const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 50 });
const linesAre = (count: number) => until(async () => expect(await recordedLines()).toBe(count));
const queueIsEmpty = (url = vhost.url) =>
  until(async () => {
    // Ready messages only: a fresh connection sees those that were given back.
    const other = await connect({ url, name: 'depth', topology: 'assume' });
    try {
      expect(await other.queueDepth(topology.recorder)).toMatchObject({ messages: 0 });
    } finally {
      await other.close();
    }
  });

it('records events and snapshots, and leaves the queue empty', async () => {
  const recorder = record();
  await publishLines(0, 1_500);
  await Promise.all([publish(snapshot('w', 2, 'Succeeded')), publish(snapshot('w', 1, 'Running'))]);
  await linesAre(1_500);
  await until(async () =>
    expect(await database.sql('select phase, resource_version::integer from workflows')).toEqual([
      { phase: 'Succeeded', resource_version: 2 },
    ]),
  );
  await recorder.close();
  await queueIsEmpty();
  expect(await recorder.metricsText()).toMatch(/millwright_recorder_messages_total{.*outcome="recorded".*} 1502/);
});

it.each([
  ['holds what it has', 60_000],
  ['gives it back to the queue after a while', 200],
])('loses nothing while PostgREST is away: it %s', async (_name, holdMs) => {
  const changes: boolean[] = [];
  const recorder = record({ holdMs, onStoreChange: (answers) => changes.push(answers) });
  await publishLines(0, 50);
  await linesAre(50);
  await database.stopPostgrest();
  await publishLines(50, 450);
  await until(async () => expect(changes).toEqual([true, false]));
  // Longer than the hold: with the short one, everything is back in the queue by now.
  if (holdMs < 1_000) await until(async () => expect((await broker.queueDepth(topology.recorder)).messages).toBe(400));
  expect(await recordedLines()).toBe(50);
  await database.startPostgrest();
  await linesAre(450);
  await until(async () => expect(changes).toEqual([true, false, true]));
  await recorder.close();
  await queueIsEmpty();
  expect(await listDeadLetters(broker, { limit: 10 })).toEqual([]);
});

it('acknowledges nothing that it has not written', async () => {
  const dying = await connect({ url: vhost.url, name: 'dying', topology: 'assume' });
  const changes: boolean[] = [];
  const first = record({ broker: dying, onStoreChange: (answers) => changes.push(answers) });
  await until(async () => expect(changes).toEqual([true]));
  await database.stopPostgrest();
  await publishLines(0, 250);
  await until(async () => expect(changes).toEqual([true, false]));
  await dying.close();
  await first.close();
  await database.startPostgrest();
  record();
  await linesAre(250);
});

it('sends what cannot be recorded to the dead letters with the reason, and records the rest of the batch', async () => {
  await Promise.all([
    publishLines(0, 60),
    publish(snapshot('bad', 1, 'Running', { startedAt: 'never' })),
    publishLines(60, 99),
  ]);
  await broker.publish(targets.event('log', 'team-b'), eventMessage, line(1_000));
  record();
  await linesAre(99);
  await until(async () => {
    const reasons = (await listDeadLetters(broker, { limit: 10 })).map(({ reason }) => reason).sort();
    expect(reasons).toEqual([
      expect.stringMatching(/^foreign: published as "log.team-b", but it says "log.team-a"/),
      expect.stringMatching(/^rejected by the database: .*invalid input syntax for type timestamp.*never/),
    ]);
  });
});

it('records each event once when recorders die before they acknowledge', async () => {
  const store = createStore({ url: database.url, key: database.serviceKey });
  let writes = 0;
  // Dies after the commit and before the answer: its deliveries come again.
  const dying = await connect({ url: vhost.url, name: 'dying', topology: 'assume' });
  const first = record({
    broker: dying,
    store: {
      ping: store.ping,
      record: async (messages) => {
        await store.record(messages);
        writes++;
        await dying.close();
        throw new Error('killed');
      },
    },
  });
  await publishLines(0, 300);
  await until(async () => expect(writes).toBeGreaterThan(0));
  await first.close();
  record();
  await linesAre(300);
  await publishLines(0, 300);
  const second = record();
  await queueIsEmpty();
  await second.close();
  expect(await recordedLines()).toBe(300);
});

it('runs as a process: readiness tells what is missing, metrics count, SIGTERM ends it', async () => {
  await database.stopPostgrest();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: {
      PATH: process.env.PATH,
      MILLWRIGHT_AMQP_URL: vhost.url,
      MILLWRIGHT_SUPABASE_URL: database.url,
      MILLWRIGHT_SUPABASE_KEY: database.serviceKey,
      MILLWRIGHT_HTTP_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanUp.defer(async () => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const get = async (path: string) => {
    const port = /"msg":"recorder started".*"port":(\d+)/.exec(output)?.[1];
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return `${response.status} ${await response.text()}`;
  };
  await until(async () => expect(await get('/readyz')).toBe('503 waiting for: Postgres\n'));
  expect(await get('/healthz')).toBe('200 ok\n');
  await publishLines(0, 10);
  await database.startPostgrest();
  await linesAre(10);
  expect(await get('/readyz')).toBe('200 ready\n');
  await until(async () => expect(await get('/metrics')).toMatch(/millwright_recorder_messages_total{.*} 10/));
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

it('names everything that is wrong with its environment', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env.PATH, MILLWRIGHT_SUPABASE_URL: 'nowhere', MILLWRIGHT_RECORDER_BATCH_SIZE: '501' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  expect(await once(child, 'close')).toEqual([1, null]);
  for (const name of [
    'MILLWRIGHT_AMQP_URL',
    'MILLWRIGHT_SUPABASE_URL',
    'MILLWRIGHT_SUPABASE_KEY',
    'MILLWRIGHT_RECORDER_BATCH_SIZE',
  ]) {
    expect(output).toContain(`${name}:`);
  }
});
