import { type Broker, ConnectionLostError, type Delivery, PublishError } from '@millwright/broker';
import type { EffectResultMessage, OperatorInbound } from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { describe, expect, test } from 'vitest';
import { TaskMemories } from '../agent-task/memory.ts';
import { RESULT_GRACE_MS } from '../agent-task/plan-holder.ts';
import { KubeError } from '../runtime/errors.ts';
import { NOW } from '../testing/objects.ts';
import { answer, result } from '../testing/observations.ts';
import { createInbound, PAUSE_MS } from './inbound.ts';

const kubeError = (status: number) =>
  new KubeError({ status, reason: 'Reason', detail: 'detail' }, { method: 'GET', path: '/tasks' });

/** A message about a task that the cache does not have, for which the live read fails. */
function delivered<M>(message: M, failure: Error, more: object = {}) {
  const done: string[] = [];
  const inbound = createInbound({
    broker: {} as Broker,
    memories: new TaskMemories(),
    signingKey: 's'.repeat(32),
    logger: silentLogger,
    now: () => NOW,
    listeningSince: () => NOW,
    cached: () => undefined,
    live: async () => {
      throw failure;
    },
    queuesFor: () => undefined,
    enqueue: () => undefined,
  });
  const delivery = {
    message,
    userId: 'publisher',
    redelivered: true,
    settled: false,
    ack: () => void done.push('ack'),
    requeue: (ms: number) => void done.push(`requeue ${ms}`),
    deadLetter: async (reason: string) => void done.push(`dead ${reason}`),
    ...more,
  } as unknown as Delivery<M>;
  return { inbound, delivery, done };
}

const transient: [string, Error][] = [
  ['does not answer', kubeError(0)],
  ['is ill', kubeError(503)],
  ['sheds load', kubeError(429)],
];

describe('a message that cannot be judged now', () => {
  test.each(transient)('a result waits while the API server %s, however often', async (_, failure) => {
    const { inbound, delivery, done } = delivered<OperatorInbound>(result(1).message, failure);
    await inbound.fromAgents(delivery);
    expect(done).toEqual([`requeue ${PAUSE_MS}`]);
  });

  test.each(transient)("the publisher's answer waits while the API server %s", async (_, failure) => {
    const { inbound, delivery, done } = delivered<EffectResultMessage>(answer(1).message, failure);
    await inbound.fromPublisher(delivery);
    expect(done).toEqual([`requeue ${PAUSE_MS}`]);
  });

  test.each<[string, Error]>([
    ['its connection is lost', new ConnectionLostError('gone')],
    ['its connection is not there', new PublishError('no connection to the broker', 'no')],
  ])('so does what the broker was asked about while %s', async (_, failure) => {
    const { inbound, delivery, done } = delivered<OperatorInbound>(result(1).message, failure);
    await inbound.fromAgents(delivery);
    expect(done).toEqual([`requeue ${PAUSE_MS}`]);
  });

  test('is looked at again while its pod, which has ended, is still given time', () => {
    expect(PAUSE_MS).toBeLessThan(RESULT_GRACE_MS);
  });
});

test.each<[string, Error, object]>([
  ['an error that no waiting mends', new TypeError('broken'), {}],
  ['a request that is refused', kubeError(400), {}],
  ['a message that is settled already', kubeError(503), { settled: true }],
])('%s is left to the consumer', async (_, failure, more) => {
  const { inbound, delivery, done } = delivered<OperatorInbound>(result(1).message, failure, more);
  await expect(inbound.fromAgents(delivery)).rejects.toBe(failure);
  expect(done).toEqual([]);
});
