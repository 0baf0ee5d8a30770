import { WORK_QUEUE_EXPIRES_MS, type WorkKey } from '@millwright/broker';
import { MAX_QUEUES, welcomeMessage } from '@millwright/crds';
import { expect, test } from 'vitest';
import { RENEW_WORK_MS } from '../agent-task/publish-work.ts';
import { aPool, NOW } from '../testing/objects.ts';
import { WorkQueues } from './work-queues.ts';

const capabilities = Array.from({ length: 10 }, (_, n) => `c${n}`);
const pool = aPool('pool', { capabilities });
/** Different ones for different numbers below 1024. */
const key = (n: number, image = 'i'): WorkKey => ({
  engine: 'runner',
  image,
  capabilities: capabilities.filter((_, bit) => n & (1 << bit)),
});

function workQueues() {
  const clock = { now: NOW };
  const queues = new WorkQueues(
    () => {},
    () => clock.now,
  );
  /** Publishes work of a task, and says whether agents had to be told of its queue. */
  const publish = (n: number): boolean => {
    const { queue, isNew } = queues.use('team', key(n));
    queues.published(`team/t${n}`, {
      namespace: 'team',
      queue,
      pool: 'pool',
      image: 'i',
      capabilities: [],
      kind: 'run',
    });
    return isNew;
  };
  const nameOf = (n: number) =>
    new WorkQueues(
      () => {},
      () => 0,
    ).use('team', key(n)).queue;
  return { queues, clock, publish, nameOf };
}

test('a queue is known until nothing has been published to it for as long as the broker may keep it', () => {
  const { queues, clock, publish, nameOf } = workQueues();
  expect(publish(1)).toBe(true);
  queues.settled('team/t1');
  clock.now += RENEW_WORK_MS;
  expect(publish(1)).toBe(false);
  expect(publish(2)).toBe(true);
  clock.now += RENEW_WORK_MS;
  expect(queues.queuesFor(pool, 'i')).toEqual([nameOf(1), nameOf(2)]);
  expect(queues.images('team')).toEqual(new Set(['i']));
  clock.now += WORK_QUEUE_EXPIRES_MS - RENEW_WORK_MS;
  expect(queues.queuesFor(pool, 'i')).toEqual([]);
  expect(queues.images('team')).toEqual(new Set());
  expect(publish(1)).toBe(true);
});

test('an agent is never told of more queues than fit a message, however many there are', () => {
  const { queues, publish, nameOf } = workQueues();
  for (let n = 0; n < MAX_QUEUES + 50; n++) {
    publish(n);
    if (n !== 7) queues.settled(`team/t${n}`);
  }
  const told = queues.queuesFor(pool, 'i');
  expect(welcomeMessage.parse({ type: 'welcome', queues: told, drain: false }).queues).toEqual(told);
  expect(told).toContain(nameOf(7));
  expect(told).toContain(nameOf(MAX_QUEUES + 49));
  // One that was forgotten is announced again.
  expect(publish(0)).toBe(true);
});

test('when work waits in more queues than that, those beyond have their turn', () => {
  const { queues, publish } = workQueues();
  const count = MAX_QUEUES + 50;
  for (let n = 0; n < count; n++) publish(n);
  const first = queues.queuesFor(pool, 'i');
  expect(first).toHaveLength(MAX_QUEUES);
  for (let n = 0; n < MAX_QUEUES; n++) queues.settled(`team/t${n}`);
  const next = queues.queuesFor(pool, 'i');
  expect(next).toHaveLength(MAX_QUEUES);
  expect(new Set([...first, ...next]).size).toBe(count);
});

test('knows whose work waits, by image on a pool and by queue', () => {
  const { queues, publish, nameOf } = workQueues();
  for (const n of [1, 2, 3]) publish(n);
  queues.settled('team/t2');
  expect(queues.waitingFor({ namespace: 'team', name: 'pool' }, 'i')).toEqual(['team/t1', 'team/t3']);
  expect(queues.waitingFor({ namespace: 'team', name: 'pool' }, 'j')).toEqual([]);
  expect(queues.waitingFor({ namespace: 'team', name: 'other' }, 'i')).toEqual([]);
  expect([...queues.waitingPerQueue()]).toEqual([
    [nameOf(1), ['team/t1']],
    [nameOf(3), ['team/t3']],
  ]);
});
