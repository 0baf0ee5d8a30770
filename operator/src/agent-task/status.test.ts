import type { AgentTaskStatus, FailureClass } from '@millwright/crds';
import { agentTaskStatus } from '@millwright/crds';
import { describe, expect, test } from 'vitest';
import { aTask, at, COMMIT, NOW, runningOn } from '../testing/objects.ts';
import { afterFailure, finished, MAX_INFRASTRUCTURE_FAILURES, nextStatus, waiting } from './status.ts';

const failure = (failureClass: FailureClass, message = 'no') => ({ class: failureClass, reason: 'Because', message });
const condition = (status: AgentTaskStatus, type: string) => status.conditions?.find((c) => c.type === type);

describe('after a failure', () => {
  const retry = { maxAttempts: 3, backoff: { baseSeconds: 10, maxSeconds: 15 } };
  /** Attempt, how many were lost to the infrastructure, class; then the phase, attempt and reason, and the longest delay in seconds. */
  test.each<[string, number, number, FailureClass, string, number, string, number?]>([
    ['the first', 1, 0, 'agent', 'Waiting', 2, 'BackingOff', 10],
    ['the second, bounded', 2, 0, 'verification', 'Waiting', 3, 'BackingOff', 15],
    ['the last', 3, 0, 'agent', 'Failed', 3, 'AttemptsExhausted'],
    ['the last of those that count', 5, 2, 'agent', 'Failed', 5, 'AttemptsExhausted'],
    ['the infrastructure, first', 1, 0, 'infrastructure', 'Waiting', 2, 'BackingOff', 1],
    ['the infrastructure after all attempts but one', 3, 0, 'infrastructure', 'Waiting', 4, 'BackingOff', 1],
    ['the infrastructure, doubling', 4, 3, 'provider', 'Waiting', 5, 'BackingOff', 8],
    ['the infrastructure once too often', 6, MAX_INFRASTRUCTURE_FAILURES, 'infrastructure', 'Failed', 6, 'Because'],
    ['governance: never repeated blindly', 1, 0, 'governance', 'Failed', 1, 'Because'],
  ])('%s', (_, attempt, lost, failureClass, phase, next, reason, seconds) => {
    const task = aTask({ retry }, runningOn('a', { attempt, infrastructureFailures: lost }));
    const status = afterFailure(task, failure(failureClass), NOW, 0.999999, {});
    expect(status).toMatchObject({ phase, attempt: next, reason });
    expect(agentTaskStatus.parse(status)).toEqual(status);
    if (seconds === undefined) expect(status).toMatchObject({ finishedAt: at(0) });
    else expect(Date.parse(status.nextAttemptAt ?? '') - NOW).toBeCloseTo(seconds * 1000, -2);
    expect(status.history?.at(-1)).toMatchObject({ attempt, outcome: 'Failed', class: failureClass, pod: 'a' });
  });

  test('the delay is random from nothing', () => {
    const task = aTask({ retry }, runningOn('a'));
    expect(afterFailure(task, failure('agent'), NOW, 0).nextAttemptAt).toBe(at(0));
  });

  test('the next attempt starts clean', () => {
    const task = aTask({ retry }, runningOn('a', { result: { commit: COMMIT }, tests: '1/3' }));
    const status = afterFailure(task, failure('verification'), NOW, 0, { tests: '1/3', result: { commit: COMMIT } });
    for (const key of ['agent', 'verifier', 'result', 'tests']) expect(status).not.toHaveProperty(key);
  });

  test('the end keeps what there is', () => {
    const status = afterFailure(aTask({}, runningOn('a')), failure('verification'), NOW, 0, { tests: '1/3' });
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Because', message: 'no', tests: '1/3' });
    expect(condition(status, 'ChecksPassed')).toMatchObject({ status: 'False' });
  });

  test('the history and the message are bounded', () => {
    let task = aTask({ retry: { maxAttempts: 20 } }, runningOn('a'));
    for (let attempt = 1; attempt <= 20; attempt++) {
      const status = afterFailure(task, failure('agent', 'x'.repeat(5000)), NOW, 0);
      task = aTask({ retry: { maxAttempts: 20 } }, { ...runningOn('a'), ...status });
    }
    expect(task.status?.history).toHaveLength(10);
    expect(task.status?.history?.at(-1)?.attempt).toBe(20);
    expect(agentTaskStatus.parse(task.status)).toEqual(task.status);
    expect(Buffer.byteLength(JSON.stringify(task))).toBeLessThan(64 * 1024);
  });
});

describe('conditions', () => {
  test.each<[string, AgentTaskStatus, string, string, string]>([
    ['unknown project', waiting(aTask(), NOW, 'UnknownProject', 'create it'), 'Accepted', 'False', 'UnknownProject'],
    ['waiting', waiting(aTask(), NOW, 'CapacityFull', 'busy'), 'Accepted', 'True', 'Accepted'],
    ['waiting', waiting(aTask(), NOW, 'CapacityFull', 'busy'), 'Dispatched', 'False', 'CapacityFull'],
    [
      'running',
      nextStatus(aTask(), NOW, { phase: 'Running', reason: 'AgentRunning' }),
      'Dispatched',
      'True',
      'Claimed',
    ],
    ['succeeded', finished(aTask(), NOW, 'Succeeded', 'Completed', ''), 'Complete', 'True', 'Completed'],
    ['succeeded', finished(aTask(), NOW, 'Succeeded', 'Completed', ''), 'Failed', 'False', 'Completed'],
    ['cancelled', finished(aTask(), NOW, 'Cancelled', 'CancelledByUser', ''), 'Complete', 'False', 'CancelledByUser'],
    [
      'published',
      finished(aTask(), NOW, 'Succeeded', 'Completed', '', { branch: 'b' }),
      'Published',
      'True',
      'BranchPublished',
    ],
  ])('%s: %s', (_, status, type, value, reason) => {
    expect(condition(status, type)).toMatchObject({ status: value, reason, observedGeneration: 1 });
  });

  test('the transition time moves with the status only', () => {
    const first = waiting(aTask(), NOW, 'CapacityFull', 'busy');
    const second = waiting(aTask({}, first), NOW + 1000, 'Queued', 'queued');
    expect(condition(second, 'Dispatched')).toMatchObject({ reason: 'Queued', lastTransitionTime: at(0) });
    const third = nextStatus(aTask({}, second), NOW + 2000, { phase: 'Running', reason: 'AgentRunning' });
    expect(condition(third, 'Dispatched')?.lastTransitionTime).toBe(at(2000));
  });
});
