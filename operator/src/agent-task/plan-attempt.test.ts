import type { AgentTaskStatus, EffectFailure } from '@millwright/crds';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { STUCK_START_MS } from '../agent-pool/troubles.ts';
import type { Note } from '../note.ts';
import { aChild, aPool, aTask, at, aWorkflow, COMMIT, NOW, runningOn, verifyingOn } from '../testing/objects.ts';
import {
  answer,
  aTrouble,
  checks,
  claim,
  observation,
  publishedWork,
  result,
  statusOf,
  summary,
} from '../testing/observations.ts';
import { HOLD_MS } from './inbox.ts';
import type { Sandbox, TaskObservation } from './observation.ts';
import { planTask } from './plan.ts';
import { DEADLINE_GRACE_MS, HEARTBEAT_TIMEOUT_MS, RESULT_GRACE_MS } from './plan-holder.ts';
import { ANSWER_GRACE_MS, CREDENTIALS_PATIENCE_MS, PUBLISH_BACKOFF, RENEW_EFFECT_MS } from './plan-publish.ts';
import { REPEAT_WORK_MS } from './publish-work.ts';

const alive: Sandbox = { state: 'alive', confirmed: true };
const running = { task: aTask({}, runningOn('a')), sandbox: alive };
const acceptance = { acceptance: ['npm test', 'npm run lint', 'true'] };
const ended = ['endAttempt 1', 'release'];
const branch = 'publishBranch 1 ai/generated/tasks/task';

describe('claims while an agent is at work', () => {
  test.each<[string, Partial<TaskObservation>, string[]]>([
    ['the holder asking again gets the same answer', { inbox: { claims: [claim(1, 'a')] } }, ['grant 1 run']],
    ['others are dropped', { inbox: { claims: [claim(1, 'b')] } }, ['drop 1']],
    [
      'the holder asking for another attempt is dropped',
      { inbox: { claims: [claim(1, 'a', { attempt: 2 })] } },
      ['drop 1'],
    ],
    [
      'the holder asking after its result is dropped: it would run twice',
      { inbox: { claims: [claim(1, 'a')], runResult: result(2) } },
      ['drop 1', branch, 'status~ Running/Publishing'],
    ],
    [
      'the runner asking while its result is verified is dropped',
      { task: aTask(acceptance, verifyingOn('v')), inbox: { claims: [claim(1, 'runner')] } },
      ['drop 1'],
    ],
    [
      'who asks to verify what still runs is dropped',
      { task: aTask(acceptance, runningOn('a')), inbox: { claims: [claim(1, 'v', { kind: 'verify' })] } },
      ['drop 1'],
    ],
    [
      'who asks to verify what needs no verification is dropped',
      { inbox: { claims: [claim(1, 'v', { kind: 'verify' })], runResult: result(2) } },
      ['drop 1', branch, 'status~ Running/Publishing'],
    ],
    [
      'the verifier asking again gets the same answer',
      { task: aTask(acceptance, verifyingOn('v')), inbox: { claims: [claim(1, 'v', { kind: 'verify' })] } },
      ['grant 1 verify'],
    ],
    [
      'the verifier asking after its result is dropped',
      {
        task: aTask(acceptance, verifyingOn('v')),
        inbox: { claims: [claim(1, 'v', { kind: 'verify' })], verifyResult: checks(2) },
      },
      ['drop 1', branch, 'status~ Verifying/Publishing'],
    ],
  ])('%s', (_, change, actions) => {
    expect(summary(planTask(observation({ ...running, ...change }), NOW))).toEqual(actions);
  });
});

describe('the end of a run', () => {
  test.each<[string, Partial<TaskObservation>, string[]]>([
    [
      'nothing changed: succeeded, nothing to publish',
      { inbox: { claims: [], runResult: noCommit(1) } },
      ['status Succeeded/NoChangesNeeded', 'settle 1', ...ended],
    ],
    [
      'a commit: the branch is published, the result stays unsettled',
      { inbox: { claims: [], runResult: result(1) } },
      [branch, 'status~ Running/Publishing'],
    ],
    [
      'asked for: waits for the publisher',
      { inbox: { claims: [], runResult: result(1) }, published: { effect: { attempt: 1, at: NOW } } },
      ['status~ Running/Publishing'],
    ],
    [
      'published',
      { inbox: { claims: [], runResult: result(1), effectResult: answer(2) } },
      ['status Succeeded/Completed', 'settle 1,2', ...ended],
    ],
    [
      'refused by the forge: failed, not repeated',
      {
        task: aTask({ retry: { maxAttempts: 3 } }, runningOn('a')),
        inbox: { claims: [], runResult: result(1), effectResult: answer(2, { ok: false, failure: 'permanent' }) },
      },
      ['status Failed/PublishRefused', 'settle 1,2', ...ended],
    ],
    [
      'failed: the end after the only attempt',
      { inbox: { claims: [], runResult: result(1, { outcome: 'failed', reason: 'CommandFailed' }) } },
      ['status Failed/CommandFailed', 'settle 1', ...ended],
    ],
    [
      'failed with attempts left: backs off',
      {
        task: aTask({ retry: { maxAttempts: 2 } }, runningOn('a')),
        inbox: { claims: [], runResult: result(1, { outcome: 'failed' }) },
      },
      ['status Waiting/BackingOff', 'settle 1', ...ended],
    ],
  ])('%s', (_, change, actions) => {
    expect(summary(planTask(observation({ ...running, ...change }), NOW))).toEqual(actions);
  });

  const lost = result(1, { outcome: 'failed', reason: 'CommandFailed', message: 'no' });
  test.each<[string, Partial<TaskObservation['inbox']>, number, Partial<Note>]>([
    ['published', { runResult: result(1), effectResult: answer(2) }, 1, { type: 'Normal', reason: 'Succeeded' }],
    ['nothing changed', { runResult: noCommit(1) }, 1, { type: 'Normal', reason: 'Succeeded' }],
    [
      'failed with attempts left',
      { runResult: lost },
      2,
      { type: 'Warning', reason: 'AttemptFailed', message: 'attempt 1: agent: CommandFailed: no' },
    ],
    ['failed for good', { runResult: lost }, 1, { type: 'Warning', reason: 'Failed' }],
    [
      'refused by the forge',
      { runResult: result(1), effectResult: answer(2, { ok: false, failure: 'permanent' }) },
      2,
      { type: 'Warning', reason: 'Failed' },
    ],
  ])('is told in one Event: %s', (_, inbox, maxAttempts, note) => {
    const task = aTask({ retry: { maxAttempts } }, runningOn('a'));
    const { actions } = planTask(observation({ task, inbox: { claims: [], ...inbox } }), NOW);
    expect(actions.flatMap((action) => ('note' in action ? [action.note] : []))).toEqual([
      expect.objectContaining(note),
    ]);
  });

  test('the branch carries the names of Workflow and task, the ref those of task and attempt', () => {
    const task = aChild(aWorkflow(), 'build', runningOn('a'));
    const plan = planTask(observation({ task, inbox: { claims: [], runResult: result(1) } }), NOW);
    expect(plan.actions[0]).toEqual({
      do: 'publishBranch',
      attempt: 1,
      retry: 0,
      commit: COMMIT,
      ref: 'refs/attempts/uid-flow-build/1',
      base: 'refs/workflows/uid-flow/base',
      branch: 'ai/generated/flow/build',
    });
  });
});

describe('a branch that the forge does not take for now', () => {
  const acting = { claims: [], runResult: result(1) };
  const fails = (failure: EffectFailure, retry = 0) =>
    answer(2, { ok: false, failure, retry, message: 'the forge answered 503' });
  const publishing = { failures: 3, nextAt: at(60_000) };
  const waits = (change: AgentTaskStatus = {}) => ({
    task: aTask({}, runningOn('a', { reason: 'Publishing', result: { commit: COMMIT }, publishing, ...change })),
    sandbox: { state: 'ended', confirmed: true, goneSince: NOW - 3600_000 } as const,
  });
  const delayed = ['status Running/Publishing', 'settle 1,2', 'release'];

  test.each<EffectFailure>(['temporary', 'credentials'])(
    '%s: attempt and result are kept, and the status says what the forge said and when it is tried again',
    (failure) => {
      const plan = planTask(observation({ ...running, inbox: { ...acting, effectResult: fails(failure) } }), NOW);
      expect(summary(plan)).toEqual(delayed);
      expect(plan.requeueAfterMs).toBe(PUBLISH_BACKOFF.baseMs / 2);
      const nextAt = at(PUBLISH_BACKOFF.baseMs / 2);
      const status = statusOf(plan);
      expect(status).toMatchObject({
        attempt: 1,
        result: { commit: COMMIT },
        message: `ai/generated/tasks/task is not published yet: the forge answered 503; tried again at ${nextAt}`,
        publishing: { failures: 1, nextAt },
      });
      expect(status).not.toHaveProperty('infrastructureFailures');
    },
  );

  test('a verified task stays in its phase, and keeps what passed', () => {
    const observed = observation({
      task: aTask(acceptance, verifyingOn('v')),
      inbox: { claims: [], verifyResult: checks(1), effectResult: fails('temporary') },
    });
    const plan = planTask(observed, NOW);
    expect(summary(plan)).toEqual(['status Verifying/Publishing', 'settle 1,2', 'release']);
    expect(statusOf(plan)).toMatchObject({ tests: '3/3', result: { commit: COMMIT } });
    // Its messages are settled: the status is all there is.
    const later = { ...observed, task: { ...observed.task, status: statusOf(plan) }, inbox: { claims: [] } };
    expect(summary(planTask(later, NOW + 3600_000))).toEqual([branch]);
  });

  /** Milliseconds from now, what is seen, what follows, when to look again. */
  test.each<[string, number, Partial<TaskObservation>, string[], number?]>([
    ['before its time nothing happens', 59_000, {}, [], 1000],
    ['at its time it is asked for again', 60_000, {}, [branch], RENEW_EFFECT_MS],
    ['however long that takes: neither its sandbox nor its time limit ends it', 7 * 86_400_000, {}, [branch]],
    [
      'asked for since: waits for the answer',
      61_000,
      { published: { effect: { attempt: 1, at: NOW + 60_000 } } },
      [],
      RENEW_EFFECT_MS - 1000,
    ],
    [
      'asked for before, and answered: asked for again',
      60_000,
      { published: { effect: { attempt: 1, at: NOW } } },
      [branch],
    ],
    [
      'it fails once more',
      61_000,
      {
        published: { effect: { attempt: 1, at: NOW + 60_000 } },
        inbox: { claims: [], effectResult: fails('temporary', 3) },
      },
      ['status Running/Publishing', 'settle 2', 'release'],
      PUBLISH_BACKOFF.baseMs * 4,
    ],
    [
      'another copy fails meanwhile: that says nothing new',
      1000,
      { inbox: { claims: [], effectResult: fails('temporary', 2) } },
      ['settle 2'],
      59_000,
    ],
    [
      'it fails once more, told by a publisher that does not say of which try',
      61_000,
      {
        published: { effect: { attempt: 1, at: NOW + 60_000 } },
        inbox: { claims: [], effectResult: answer(2, { ok: false, failure: 'temporary', retry: undefined }) },
      },
      ['status Running/Publishing', 'settle 2', 'release'],
    ],
    [
      'that failure told once more after the next try was sent: it is still waited for',
      61_000,
      {
        published: { effect: { attempt: 1, at: NOW + 60_000 } },
        inbox: { claims: [], effectResult: fails('credentials', 2) },
      },
      ['settle 2'],
      RENEW_EFFECT_MS - 1000,
    ],
    [
      'another copy succeeds meanwhile',
      1000,
      { inbox: { claims: [], effectResult: answer(2) } },
      ['status Succeeded/Completed', 'settle 2', ...ended],
    ],
    [
      'its run or its verification delivered again: settled, since the status has the result',
      1000,
      { inbox: { claims: [], runResult: result(1), verifyResult: checks(3) } },
      ['settle 1,3'],
      59_000,
    ],
    [
      'its holder asking again is dropped: it would run twice',
      1000,
      { inbox: { claims: [claim(4, 'a')] } },
      ['drop 4'],
      59_000,
    ],
    [
      'refused for good',
      61_000,
      { inbox: { claims: [], effectResult: fails('permanent') } },
      ['status Failed/PublishRefused', 'settle 2', ...ended],
    ],
  ])('%s', (_, ms, change, actions, requeueAfterMs) => {
    const plan = planTask(observation({ ...waits(), ...change }), NOW + ms);
    expect(summary(plan)).toEqual(actions);
    if (requeueAfterMs !== undefined) expect(plan.requeueAfterMs).toBe(requeueAfterMs);
  });

  test('what is refused is still to be had', () => {
    const inbox = { claims: [], runResult: result(1), effectResult: answer(2, { ok: false, failure: 'permanent' }) };
    const { phase, result: kept } = statusOf(planTask(observation({ ...running, inbox }), NOW));
    expect(phase).toBe('Failed');
    expect(kept).toMatchObject({ commit: COMMIT });
  });

  test('what the policy does not let agents change has a reason of its own', () => {
    const fenced = answer(2, { ok: false, failure: 'permanent', reason: 'Fenced', message: 'CODEOWNERS' });
    const status = statusOf(planTask(observation({ ...running, inbox: { ...acting, effectResult: fenced } }), NOW));
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Fenced', message: expect.stringContaining('CODEOWNERS') });
  });

  test('what a person should look at is in the result, and the message says so', () => {
    const findings = [{ kind: 'test', path: 'a.test.ts', line: 3, message: 'an assertion is gone' }];
    const published = answer(2, { findings });
    const status = statusOf(planTask(observation({ ...running, inbox: { ...acting, effectResult: published } }), NOW));
    expect(status.result).toEqual({ commit: COMMIT, ref: expect.anything(), findings });
    expect(status.message).toMatch(/^published .*; status\.result\.findings says what to look at$/);
  });

  test('the end leaves nothing of the wait', () => {
    const observed = observation({ ...waits(), inbox: { claims: [], effectResult: answer(2) } });
    expect(statusOf(planTask(observed, NOW))).not.toHaveProperty('publishing');
  });

  test('a cancel ends it at once, with its result', () => {
    const { task } = waits();
    const plan = planTask(observation({ task: { ...task, spec: { ...task.spec, cancel: true } } }), NOW);
    expect(summary(plan)).toEqual(['status Cancelled/CancelledByUser', ...ended]);
    expect(statusOf(plan).result).toEqual({ commit: COMMIT });
  });

  test('the wait is random below a bound that doubles to five minutes', () => {
    const bound = (failures: number) => {
      const observed = waits({ publishing: { failures, nextAt: at(0) } });
      return planTask(
        observation({ ...observed, inbox: { claims: [], effectResult: fails('temporary', failures) } }),
        NOW,
      ).requeueAfterMs;
    };
    expect([1, 2, 5, 6, 1000].map(bound)).toEqual([5_000, 10_000, 80_000, 150_000, 150_000]);
  });

  describe('because of its credentials', () => {
    const refusedFor = (ms: number, failure: EffectFailure = 'credentials') => {
      const since = { credentialsRefusedSince: at(0) };
      const observed = waits({ publishing: { failures: 9, nextAt: at(0), ...since } });
      return planTask(observation({ ...observed, inbox: { claims: [], effectResult: fails(failure, 9) } }), NOW + ms);
    };

    test('is tried for an hour, and then final', () => {
      const before = refusedFor(CREDENTIALS_PATIENCE_MS - 1);
      expect(statusOf(before)).toMatchObject({ phase: 'Running', publishing: { credentialsRefusedSince: at(0) } });
      const after = refusedFor(CREDENTIALS_PATIENCE_MS);
      expect(summary(after)).toEqual(['status Failed/PublishRefused', 'settle 2', ...ended]);
      expect(statusOf(after).message).toMatch(/the forge answered 503 \(tried for an hour\)$/);
    });

    test('counts anew once the forge has said something else', () => {
      expect(statusOf(refusedFor(1000, 'temporary')).publishing).not.toHaveProperty('credentialsRefusedSince');
    });
  });
});

describe('an effect that was sent', () => {
  const sent = (change: Partial<TaskObservation> = {}) =>
    observation({
      ...running,
      inbox: { claims: [], runResult: result(1) },
      published: { effect: { attempt: 1, at: NOW } },
      ...change,
    });
  test.each<[string, number, Partial<TaskObservation>, boolean]>([
    ['is waited for', 10 * 60_000, {}, false],
    ['is sent again by the next leader, who knows nothing of it', 0, { published: {} }, true],
    ['is waited for when the broker has just come back', ANSWER_GRACE_MS, { listeningSince: NOW + 1 }, false],
    ['is sent again when no answer came since', ANSWER_GRACE_MS + 1, { listeningSince: NOW + 1 }, true],
    ['is sent again in the end', RENEW_EFFECT_MS, {}, true],
  ])('%s', (_, ms, change, again) => {
    expect(summary(planTask(sent(change), NOW + ms)).includes(branch)).toBe(again);
  });
});

describe('a result that is held', () => {
  const inbox = { claims: [], runResult: result(1) };
  test.each<[string, Partial<TaskObservation>, string]>([
    ['while it is published', { ...running, published: { effect: { attempt: 1, at: NOW } } }, 'Running/Publishing'],
    [
      'while a verifier is awaited',
      { task: aTask(acceptance, runningOn('a')), published: { work: publishedWork('verify') } },
      'Verifying/RunningAcceptance',
    ],
  ])('%s is written after a while, so that claims and heartbeats find room in the queue', (_, change, phase) => {
    const observed = observation({ ...change, inbox });
    expect(summary(planTask(observed, NOW + HOLD_MS - 1))).toEqual([`status~ ${phase}`]);
    expect(summary(planTask(observed, NOW + HOLD_MS))).toEqual([`status ${phase}`, 'settle 1']);
  });
});

test('whatever an agent asks for while another is at work is answered at once, since claims fill the prefetch', () => {
  const asked = fc.record({
    kind: fc.constantFrom('run' as const, 'verify' as const),
    attempt: fc.integer({ min: 1, max: 2 }),
    pool: fc.constantFrom('pool', 'stranger'),
    pod: fc.constantFrom('a', 'v', 'w'),
  });
  const status = fc.constantFrom(runningOn('a'), verifyingOn(undefined), verifyingOn('v'));
  const outcome = fc.constantFrom(undefined, 'succeeded' as const, 'failed' as const);
  fc.assert(
    fc.property(
      fc.array(asked),
      status,
      outcome,
      outcome,
      fc.boolean(),
      (questions, phase, ran, checked, isVerified) => {
        const claims = questions.map(({ kind, attempt, pool, pod }, id) =>
          claim(id, pod, { kind, attempt, agent: { pool, pod } }),
        );
        const inbox = {
          claims,
          ...(ran ? { runResult: result(100, { outcome: ran }) } : {}),
          ...(checked ? { verifyResult: checks(101, { outcome: checked }) } : {}),
        };
        const task = aTask(isVerified ? acceptance : {}, phase);
        const { actions } = planTask(observation({ task, inbox, sandbox: alive }), NOW);
        const answered = actions.flatMap((action) => ('claim' in action ? [action.claim] : []));
        expect(answered.sort((a, b) => a - b)).toEqual(claims.map(({ id }) => id));
      },
    ),
  );
});

describe('verification', () => {
  const succeeded = { task: aTask(acceptance, runningOn('a')), inbox: { claims: [], runResult: result(1) } };
  const open = { task: aTask(acceptance, verifyingOn(undefined)) };
  const wanted = 'publishWork 1 verify team/pool';
  const waiting = 'status~ Verifying/RunningAcceptance';
  const verify = (id: number, pod: string, pool = 'pool') => claim(id, pod, { kind: 'verify', agent: { pool, pod } });
  test.each<[string, Partial<TaskObservation>, string[]]>([
    ['a run with acceptance commands is dispatched to be verified, its result unsettled', succeeded, [wanted, waiting]],
    [
      'once the status holds the result, the message may go',
      { ...open, inbox: { claims: [], runResult: result(1) }, published: { work: publishedWork('verify') } },
      ['settle 1', waiting],
    ],
    ['after a restart it is dispatched again', { ...open }, [wanted, waiting]],
    [
      'the first claim is granted, after the status is written and the result settled',
      { ...succeeded, inbox: { claims: [verify(2, 'v'), verify(3, 'w')], runResult: result(1) } },
      ['status Verifying/RunningAcceptance', 'settle 1', 'grant 2 verify', 'drop 3'],
    ],
    [
      'never by the agent that did the work',
      { ...open, inbox: { claims: [verify(2, 'runner')] } },
      ['drop 2', wanted, waiting],
    ],
    [
      'nor by a sandbox that is being drained',
      { ...open, inbox: { claims: [verify(2, 'v')] }, draining: new Set(['v']) },
      ['drop 2', wanted, waiting],
    ],
    [
      'nor by a pool that does not match',
      { ...open, inbox: { claims: [verify(2, 'v', 'stranger')] } },
      ['drop 2', wanted, waiting],
    ],
    [
      'waits when no pool matches',
      { ...open, pools: [aPool('pool', { enabled: false })], inbox: { claims: [verify(2, 'v')] } },
      ['drop 2', 'status~ Verifying/NoCapablePool'],
    ],
    [
      'a second copy of what the agent sent is not held while a verifier is at work',
      { task: aTask(acceptance, verifyingOn('v')), inbox: { claims: [], runResult: result(1) } },
      ['settle 1'],
    ],
    [
      'all commands passed: publishes',
      { task: aTask(acceptance, verifyingOn('v')), inbox: { claims: [], verifyResult: checks(4) } },
      [branch, 'status~ Verifying/Publishing'],
    ],
    [
      'passed and published',
      {
        task: aTask(acceptance, verifyingOn('v')),
        inbox: { claims: [], verifyResult: checks(4), effectResult: answer(5) },
      },
      ['status Succeeded/Completed', 'settle 4,5', ...ended],
    ],
    [
      'a command failed',
      {
        task: aTask(acceptance, verifyingOn('v')),
        inbox: { claims: [], verifyResult: checks(4, { outcome: 'failed', tests: { passed: 2, total: 3 } }) },
      },
      ['status Failed/TestsFailed', 'settle 4', ...ended],
    ],
    [
      'without acceptance commands there is none',
      { ...running, inbox: { claims: [], runResult: result(1) } },
      [branch, 'status~ Running/Publishing'],
    ],
  ])('%s', (_, change, actions) => {
    expect(summary(planTask(observation(change), NOW))).toEqual(actions);
  });

  test('waits when its Project is gone, and says so', () => {
    const { project: _, ...observed } = observation(open);
    const plan = planTask(observed, NOW);
    expect(statusOf(plan)).toMatchObject({
      phase: 'Verifying',
      reason: 'UnknownProject',
      message: expect.stringMatching(/^verification waits: spec\.projectRef names Project ".*: create it/),
    });
  });

  test('the verifier and what is verified are in the status', () => {
    const plan = planTask(
      observation({ ...succeeded, inbox: { claims: [verify(2, 'v')], runResult: result(1) } }),
      NOW,
    );
    expect(statusOf(plan)).toMatchObject({
      verifier: { pool: 'pool', pod: 'v', epoch: 7 },
      result: { commit: COMMIT },
    });
  });

  test('a command that failed has said the last', () => {
    const said = { outcome: 'failed', message: 'it ended with exit code 1: FAIL', summary: 'ok\nFAIL' } as const;
    const observed = observation({
      task: aTask(acceptance, { ...verifyingOn('v'), result: { commit: COMMIT, summary: 'all done' } }),
      inbox: { claims: [], verifyResult: checks(4, said) },
    });
    expect(statusOf(planTask(observed, NOW))).toMatchObject({
      message: 'it ended with exit code 1: FAIL',
      result: { commit: COMMIT, summary: 'ok\nFAIL' },
    });
  });

  test('the printed tests come from the verification', () => {
    const observed = observation({
      task: aTask(acceptance, verifyingOn('v')),
      inbox: { claims: [], verifyResult: checks(4), effectResult: answer(5) },
    });
    const status = statusOf(planTask(observed, NOW));
    expect(status).toMatchObject({ tests: '3/3', branch: 'ai/generated/tasks/task' });
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'ChecksPassed', status: 'True' }));
  });

  test('work dropped by an agent that asked before the run had ended is published again', () => {
    const published = { work: publishedWork('verify', { dropped: true }) };
    const plan = planTask(observation({ ...succeeded, published }), NOW + REPEAT_WORK_MS);
    expect(summary(plan)).toContain(wanted);
  });

  test('work dropped by the agent that may not verify is published again, but not at once', () => {
    const observed = observation({ ...open, published: { work: publishedWork('verify', { dropped: true }) } });
    expect(summary(planTask(observed, NOW + 1))).toEqual([waiting]);
    expect(planTask(observed, NOW + 1).requeueAfterMs).toBe(REPEAT_WORK_MS - 1);
    expect(summary(planTask(observed, NOW + REPEAT_WORK_MS))).toEqual([wanted, waiting]);
  });
});

test('an image that no verifier can be started with costs the attempt', () => {
  const trouble = aTrouble({ since: NOW - STUCK_START_MS });
  const published = { work: publishedWork('verify', { at: NOW - STUCK_START_MS }) };
  const task = aTask(acceptance, verifyingOn(undefined));
  const plan = planTask(observation({ task, published, trouble, inbox: { claims: [], runResult: result(1) } }), NOW);
  expect(summary(plan)).toEqual(['settle 1', 'status Waiting/BackingOff', ...ended]);
  expect(statusOf(plan)).toMatchObject({ infrastructureFailures: 1, attempt: 2 });
});

describe('the holder of a grant', () => {
  const lost = ['status Waiting/BackingOff', ...ended];
  const deadline = 3600_000 + DEADLINE_GRACE_MS;
  const gone = (change: Partial<Sandbox> = {}): Partial<TaskObservation> => ({
    ...running,
    sandbox: { state: 'ended', confirmed: true, goneSince: NOW, ...change },
  });
  const external = { ...running, sandbox: { state: 'external', confirmed: true } as const };
  /** Milliseconds after the grant, what is seen, what follows, when to look again. */
  test.each<[string, number, Partial<TaskObservation>, string[], number?]>([
    ['alive: looks again when it could have fallen silent', 0, running, [], HEARTBEAT_TIMEOUT_MS + 1],
    ['ended: its result may be on its way', 1000, gone(), [], RESULT_GRACE_MS - 1000],
    ['ended and nothing came', RESULT_GRACE_MS, gone(), lost],
    ['ended, not confirmed by a live read', RESULT_GRACE_MS, gone({ confirmed: false }), ['confirmSandbox a']],
    ['missing, not confirmed', RESULT_GRACE_MS, gone({ state: 'missing', confirmed: false }), ['confirmSandbox a']],
    ['missing for sure', RESULT_GRACE_MS, gone({ state: 'missing' }), lost],
    [
      'ended, but this process has only begun to listen',
      RESULT_GRACE_MS,
      { ...gone(), listeningSince: NOW + 9000 },
      [],
      9000,
    ],
    ['ended while the broker is away', RESULT_GRACE_MS, deaf(gone()), [], RESULT_GRACE_MS],
    ['alive and silent', HEARTBEAT_TIMEOUT_MS, running, [...lost, 'deleteSandbox a']],
    ['external and silent', HEARTBEAT_TIMEOUT_MS, external, lost],
    ['heard of since', HEARTBEAT_TIMEOUT_MS, { ...running, lastHeartbeatAt: NOW + 10_000 }, [], 10_001],
    [
      'silent before this process began to listen',
      HEARTBEAT_TIMEOUT_MS,
      { ...running, listeningSince: NOW + 50_000 },
      [],
      50_001,
    ],
    ['silent while the broker is away', HEARTBEAT_TIMEOUT_MS, deaf(running), [], RESULT_GRACE_MS],
    ['over its time and silent: lost, not overrun', deadline, running, [...lost, 'deleteSandbox a']],
    [
      'over its time, but this process has only begun to listen',
      deadline,
      { ...running, listeningSince: NOW + deadline - 10_000 },
      [],
      50_001,
    ],
    [
      'over its time: told to stop',
      deadline,
      { ...running, lastHeartbeatAt: NOW + deadline },
      ['cancel 1'],
      RESULT_GRACE_MS,
    ],
    [
      'told to stop: has a moment',
      deadline + 1000,
      { ...running, lastHeartbeatAt: NOW + deadline, cancelSentAt: NOW + deadline },
      [],
      RESULT_GRACE_MS - 1000,
    ],
    [
      'over its time for good',
      deadline + RESULT_GRACE_MS,
      { ...running, lastHeartbeatAt: NOW + deadline, cancelSentAt: NOW + deadline },
      ['status Failed/DeadlineExceeded', ...ended, 'deleteSandbox a'],
    ],
  ])('%s', (_, ms, change, actions, requeueAfterMs) => {
    const plan = planTask('epoch' in change ? (change as TaskObservation) : observation(change), NOW + ms);
    expect(summary(plan)).toEqual(actions);
    expect(plan.requeueAfterMs).toBe(requeueAfterMs);
  });

  test.each([
    ['Evicted', 'Evicted'],
    ['Preempted', 'Evicted'],
    ['OOMKilled', 'SandboxLost'],
    [undefined, 'SandboxLost'],
  ])('a pod that ended with %s counts as %s', (reason, expected) => {
    const sandbox = { ...gone().sandbox, ...(reason === undefined ? {} : { reason }) } as Sandbox;
    const status = statusOf(planTask(observation({ ...running, sandbox }), NOW + RESULT_GRACE_MS));
    expect(status.history?.[0]).toMatchObject({ reason: expected, class: 'infrastructure', pod: 'a' });
  });

  test('a verifier is watched as a runner is', () => {
    const observed = observation({ task: aTask(acceptance, verifyingOn('v')), sandbox: alive });
    expect(summary(planTask(observed, NOW + HEARTBEAT_TIMEOUT_MS))).toEqual([...lost, 'deleteSandbox v']);
    const late = { ...observed, lastHeartbeatAt: NOW + deadline, cancelSentAt: NOW + deadline };
    const status = statusOf(planTask(late, NOW + deadline + RESULT_GRACE_MS));
    expect(status.history?.[0]).toMatchObject({ reason: 'DeadlineExceeded', class: 'verification' });
  });

  test('a lost attempt takes nothing with it into the next', () => {
    const status = statusOf(planTask(observation(gone()), NOW + RESULT_GRACE_MS));
    expect(status).toMatchObject({ attempt: 2, infrastructureFailures: 1, try: '1/1' });
    expect(status).not.toHaveProperty('agent');
    expect(Date.parse(status.nextAttemptAt ?? '')).toBe(NOW + RESULT_GRACE_MS + 500);
    expect(status.startedAt).toBe(at(0));
  });
});

function noCommit(id: number) {
  const held = result(id);
  const { commit: _, ...message } = held.message;
  return { ...held, message };
}

function deaf({ listeningSince: _, ...change }: Partial<TaskObservation>): TaskObservation {
  const { listeningSince: __, ...hearing } = observation();
  return { ...hearing, ...change };
}
