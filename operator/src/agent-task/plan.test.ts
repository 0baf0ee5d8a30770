import { describe, expect, test } from 'vitest';
import { aTask, at, COMMIT, NOW, runningOn, verifyingOn } from '../testing/objects.ts';
import { answer, checks, claim, observation, result, statusOf, summary } from '../testing/observations.ts';
import type { TaskObservation } from './observation.ts';
import { CANCEL_GRACE_MS, planTask } from './plan.ts';

const cancelled = { cancel: true };
const ended = { phase: 'Succeeded', reason: 'Completed', finishedAt: at(0), attempt: 1 } as const;
const withAcceptance = { acceptance: ['npm test'] };

describe('a finished task', () => {
  test.each<[string, Partial<TaskObservation>, string[]]>([
    ['wants nothing', {}, ['release']],
    ['drops claims', { inbox: { claims: [claim(1, 'a')] } }, ['release', 'drop 1']],
    [
      'settles what still arrives',
      { inbox: { claims: [], runResult: result(2), verifyResult: checks(3), effectResult: answer(4) } },
      ['release', 'settle 2,3,4'],
    ],
    ['does not restart when it is cancelled', { task: aTask(cancelled, ended) }, ['release']],
  ])('%s', (_, change, actions) => {
    expect(summary(planTask(observation({ task: aTask({}, ended), ...change }), NOW))).toEqual(actions);
  });
});

describe('a finished task that stands alone', () => {
  const finishedFor = (ms: number, spec = {}, change: Partial<TaskObservation> = {}) =>
    planTask(observation({ task: aTask(spec, ended), ...change }), NOW + ms);
  const week = 604_800_000;

  test('stays for a week', () => {
    expect(finishedFor(week - 1)).toEqual({ actions: [{ do: 'release' }], requeueAfterMs: 1 });
    expect(summary(finishedFor(week))).toEqual(['release', 'delete']);
  });
  test('or for as long as it says', () => {
    const spec = { ttlSecondsAfterFinished: 5 };
    expect(finishedFor(1000, spec).requeueAfterMs).toBe(4000);
    expect(summary(finishedFor(5000, spec))).toEqual(['release', 'delete']);
  });
  test('one of a Workflow goes with it', () => {
    const owner = { uid: 'u', name: 'flow', gone: false, suspended: false };
    expect(finishedFor(week, {}, { owner })).toEqual({ actions: [{ do: 'release' }] });
  });
});

describe('the end before the end', () => {
  const owner = { uid: 'u', name: 'flow', gone: false, suspended: false };
  const ending = { reason: 'DeadlineExceeded', message: 'spec.timeoutSeconds (5) passed' };
  test.each<[string, Partial<TaskObservation>, string, string]>([
    ['spec.cancel', { task: aTask(cancelled) }, 'CancelledByUser', 'spec.cancel was set'],
    [
      'deletion of the task',
      { task: aTask({}, undefined, { deletionTimestamp: at(0) }) },
      'CancelledByUser',
      'the task is being deleted',
    ],
    [
      'deletion of its Workflow',
      { owner: { ...owner, gone: true } },
      'CancelledByWorkflow',
      'Workflow "flow" was deleted',
    ],
    ['end of its Workflow', { owner: { ...owner, ending } }, ending.reason, ending.message],
  ])('%s', (_, change, reason, message) => {
    const plan = planTask(observation(change), NOW);
    expect(summary(plan)).toEqual([`status Cancelled/${reason}`, 'endAttempt 1', 'release']);
    expect(statusOf(plan)).toMatchObject({ message, finishedAt: at(0), attempt: 1 });
  });

  test.each<[string, Partial<TaskObservation>]>([
    ['no owner', {}],
    ['an owner that goes on', { owner }],
  ])('%s: goes on', (_, change) => {
    expect(summary(planTask(observation(change), NOW))).toContain('publishWork 1 run team/pool');
  });
});

describe('cancelling', () => {
  const verdict = ['status Cancelled/CancelledByUser', 'endAttempt 1', 'release'];
  test.each<[string, Partial<TaskObservation>, string[], number?]>([
    ['waiting: at once', { task: aTask(cancelled, { phase: 'Waiting', reason: 'Queued', attempt: 1 }) }, verdict],
    [
      'waiting with claims: they are dropped',
      { task: aTask(cancelled), inbox: { claims: [claim(1, 'a'), claim(2, 'b')] } },
      [verdict[0] ?? '', 'drop 1', 'drop 2', 'endAttempt 1', 'release'],
    ],
    [
      'waiting for a verifier: at once, since nobody is at work',
      { task: aTask({ ...cancelled, ...withAcceptance }, verifyingOn(undefined)) },
      verdict,
    ],
    ['running: the agent is told', { task: aTask(cancelled, runningOn('a')) }, ['cancel 1'], CANCEL_GRACE_MS],
    [
      'running and told: waits out the grace period',
      { task: aTask(cancelled, runningOn('a')), cancelSentAt: NOW - 2000 },
      [],
      CANCEL_GRACE_MS - 2000,
    ],
    [
      'running and told long ago: ends the sandbox',
      { task: aTask(cancelled, runningOn('a')), cancelSentAt: NOW - CANCEL_GRACE_MS },
      [...verdict, 'deleteSandbox a'],
    ],
    [
      'running with a result: ends with it',
      { task: aTask(cancelled, runningOn('a')), inbox: { claims: [], runResult: result(1) } },
      [verdict[0] ?? '', 'settle 1', 'endAttempt 1', 'release'],
    ],
    [
      'running on a pod that has ended: at once',
      { task: aTask(cancelled, runningOn('a')), sandbox: { state: 'ended', confirmed: false } },
      verdict,
    ],
    [
      'running on a pod that is gone for sure: at once',
      { task: aTask(cancelled, runningOn('a')), sandbox: { state: 'missing', confirmed: true } },
      verdict,
    ],
    [
      'running on a pod the cache does not have yet: the agent is told',
      { task: aTask(cancelled, runningOn('a')), sandbox: { state: 'missing', confirmed: false } },
      ['cancel 1'],
      CANCEL_GRACE_MS,
    ],
    [
      'verifying: the verifier is told, although the run has ended',
      {
        task: aTask({ ...cancelled, ...withAcceptance }, verifyingOn('v')),
        inbox: { claims: [], runResult: result(1) },
      },
      ['cancel 1'],
      CANCEL_GRACE_MS,
    ],
    [
      'verifying and told long ago: ends the sandbox of the verifier',
      { task: aTask({ ...cancelled, ...withAcceptance }, verifyingOn('v')), cancelSentAt: NOW - CANCEL_GRACE_MS },
      [...verdict, 'deleteSandbox v'],
    ],
    [
      'verified: ends',
      {
        task: aTask({ ...cancelled, ...withAcceptance }, verifyingOn('v')),
        inbox: { claims: [], verifyResult: checks(2) },
      },
      [verdict[0] ?? '', 'settle 2', 'endAttempt 1', 'release'],
    ],
  ])('%s', (_, change, actions, requeueAfterMs) => {
    const plan = planTask(observation(change), NOW);
    expect(summary(plan)).toEqual(actions);
    expect(plan.requeueAfterMs).toBe(requeueAfterMs);
  });

  test('keeps what the agent pushed', () => {
    const plan = planTask(
      observation({ task: aTask(cancelled, runningOn('a')), inbox: { claims: [], runResult: result(1) } }),
      NOW,
    );
    expect(statusOf(plan).result).toMatchObject({ commit: COMMIT, ref: 'refs/attempts/uid-task/1' });
  });
});

describe('what an earlier attempt left in the inbox', () => {
  const second = { phase: 'Waiting', reason: 'BackingOff', attempt: 2 } as const;
  test.each<[string, Partial<TaskObservation>, string]>([
    ['a run', { inbox: { claims: [], runResult: result(1) } }, 'settle 1'],
    ['a verification', { inbox: { claims: [], verifyResult: checks(2) } }, 'settle 2'],
    ['an effect', { inbox: { claims: [], effectResult: answer(3) } }, 'settle 3'],
  ])('%s is settled while the next one waits', (_, change, settled) => {
    expect(summary(planTask(observation({ task: aTask({}, second), ...change }), NOW))).toEqual([
      settled,
      'publishWork 2 run team/pool',
      'status~ Waiting/Queued',
    ]);
  });

  test('never counts for the attempt that runs', () => {
    const plan = planTask(
      observation({
        task: aTask({}, runningOn('b', { attempt: 2 })),
        sandbox: { state: 'alive', confirmed: true },
        inbox: { claims: [], runResult: result(1, { attempt: 1 }) },
      }),
      NOW,
    );
    expect(summary(plan)).toEqual(['settle 1']);
  });

  test('a message of an attempt this copy of the task does not know yet is left alone', () => {
    const plan = planTask(
      observation({
        task: aTask({}, runningOn('a')),
        inbox: { claims: [], runResult: result(1, { attempt: 2 }) },
      }),
      NOW,
    );
    expect(summary(plan)).toEqual([]);
  });
});
