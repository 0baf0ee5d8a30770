import { type Broker, connect } from '@millwright/broker';
import type { GrantMessage } from '@millwright/crds';
import { noTelemetry, silentLogger } from '@millwright/otel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createSpans } from './spans.ts';
import { eventually } from './testing/eventually.ts';
import { createWorld, IMAGE, NAMESPACE, type World } from './testing/world.ts';
import { type WorkerEnd, work } from './worker.ts';

let world: World;
let broker: Broker;
let stop: AbortController;
let granted: GrantMessage[];
let interruptedBy: unknown;

beforeEach(async () => {
  world = await createWorld();
  broker = await connect({ url: world.proxy.url, name: 'agent', topology: 'assume' });
  stop = new AbortController();
  granted = [];
  interruptedBy = undefined;
});
afterEach(async () => {
  stop.abort();
  await broker.close();
  await world[Symbol.asyncDispose]();
});

function start(execute: (interrupt: AbortSignal) => Promise<void> = async () => undefined): Promise<WorkerEnd> {
  return work({
    broker,
    identity: { namespace: NAMESPACE, pool: world.pool, pod: 'pod-1', image: IMAGE },
    trace: (message, received) =>
      createSpans(noTelemetry, message, { pool: world.pool, pod: 'pod-1', ...received }, received.traceparent),
    execute: async (grant, _spans, interrupt) => {
      granted.push(grant);
      await execute(interrupt);
      interruptedBy = interrupt.reason;
    },
    stop: stop.signal,
    workspaceLost: new AbortController().signal,
    logger: silentLogger,
    timing: { claimTimeoutMs: 300, claimRetryMs: 100, helloTimeoutMs: 300, helloPauseMs: 100 },
  });
}

it('returns work whose claim nobody answers, and claims it again later', async () => {
  const task = await world.give('run', { command: ['true'] });
  const { decide } = world.operator;
  world.operator.decide = (claim) => (world.operator.claims.length > 1 ? decide(claim) : undefined);
  expect(await start()).toBe('finished');
  expect(granted.map((grant) => grant.task.uid)).toEqual([task.uid]);
  expect(world.operator.claims).toHaveLength(2);
});

it('claims one thing at a time, and gives back what it cannot do any more', async () => {
  const other = await world.operator.broker.ensureWorkQueue({
    namespace: NAMESPACE,
    engine: 'runner',
    image: IMAGE,
    capabilities: ['other'],
  });
  world.operator.welcome = { queues: [world.queue, other], drain: false };
  await world.give('run', { command: ['true'] });
  await world.give('run', { command: ['true'] }, {}, other);
  const waiting = async () => {
    const queues = [world.queue, other].map((queue) => world.operator.broker.queueDepth(queue));
    return (await Promise.all(queues)).reduce((sum, { messages }) => sum + messages, 0);
  };
  // Others must be able to take it while this one is still at work.
  const atWork = () => eventually(waiting).toBe(1);
  expect(await start(atWork)).toBe('finished');
  expect(granted).toHaveLength(1);
  expect(world.operator.claims).toHaveLength(1);
  expect(await waiting()).toBe(1);
});

it('knows of a cancellation that came while it was claiming', async () => {
  const task = await world.give('run', { command: ['true'] });
  const { decide, control } = world.operator;
  world.operator.decide = () => undefined;
  let claims = 0;
  // The answer is held back until the cancellation is out.
  world.operator.before = async (claim) => {
    claims += 1;
    await control({ type: 'cancel', task: claim.task, attempt: 1, reason: 'too late' });
    world.operator.decide = decide;
  };
  expect(await start()).toBe('finished');
  expect(claims).toBe(1);
  expect(granted[0]?.task.uid).toBe(task.uid);
  expect(interruptedBy).toMatchObject({ by: 'cancel', message: 'too late' });
});

it('ignores cancellations of other attempts', async () => {
  const task = await world.give('run', { command: ['true'] });
  const end = start(async () => {
    await world.operator.control({ type: 'cancel', task, attempt: 2, reason: 'not mine' });
    await world.operator.control({ type: 'cancel', task: { ...task, uid: 'x' }, attempt: 1, reason: 'not mine' });
    await world.operator.control({ type: 'drain', namespace: NAMESPACE, pool: world.pool });
  });
  expect(await end).toBe('finished');
  expect(interruptedBy).toBeUndefined();
});

it('does not run what is granted for another attempt', async () => {
  await world.give('run', { command: ['true'] });
  const { decide } = world.operator;
  world.operator.decide = (claim) => {
    const answer = decide(claim);
    return answer && { ...answer, attempt: 7 };
  };
  const end = start();
  await world.operator.until(() => world.operator.claims.length === 1);
  await eventually(async () => (await world.operator.broker.queueDepth(world.queue)).messages).toBe(0);
  stop.abort(new Error('enough'));
  expect(await end).toBe('stopped');
  expect(granted).toEqual([]);
});

it('waits for an operator, and ends when it is not wanted', async () => {
  world.operator.silent = true;
  const end = start();
  await world.operator.until(() => world.operator.hellos > 1);
  world.operator.silent = false;
  world.operator.welcome = { queues: [], drain: true };
  expect(await end).toBe('drained');
});

it('says hello again after a lost connection', async () => {
  const end = start();
  await eventually(async () => (await world.operator.broker.queueDepth(world.queue)).consumers).toBe(1);
  const { hellos } = world.operator;
  world.proxy.cut();
  await world.operator.until(() => world.operator.hellos > hellos);
  const task = await world.give('run', { command: ['true'] });
  expect(await end).toBe('finished');
  expect(granted[0]?.task.uid).toBe(task.uid);
});
