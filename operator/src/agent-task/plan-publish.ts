import { type AgentTask, type AgentTaskStatus, type EffectResultMessage, reasons } from '@millwright/crds';
import type { Note } from '../note.ts';
import { type BackoffPolicy, fullJitter } from '../runtime/backoff.ts';
import type { TaskAction, TaskPlan } from './actions.ts';
import { ids, isHeldLong } from './inbox.ts';
import { attemptRef, baseRef, branchOf } from './names.ts';
import type { TaskObservation } from './observation.ts';
import { workflowOf } from './owner.ts';
import { afterFailure, attemptOf, type Failure, failureNote, finished, iso, nextStatus } from './status.ts';

/** Between two tries to publish a branch that the forge does not take for now. */
export const PUBLISH_BACKOFF: BackoffPolicy = { baseMs: 5_000, capMs: 5 * 60_000 };
/** Credentials that the forge refuses may be about to be replaced: they are tried again for so long. */
export const CREDENTIALS_PATIENCE_MS = 60 * 60_000;
/** What an answer may need, after the broker was away, from its queue to here. */
export const ANSWER_GRACE_MS = 60_000;
/** An effect may wait long behind others for a forge that is ill; one without an answer for this long may as well be among the dead letters. */
export const RENEW_EFFECT_MS = 60 * 60_000;

/**
 * Has the branch published and ends the task once the publisher has answered. A forge that does not work for now costs nothing but time:
 * attempt and result are kept, and the effect is repeated for as long as the task is wanted.
 */
export function publish(
  observed: TaskObservation,
  result: NonNullable<AgentTaskStatus['result']>,
  now: number,
): TaskPlan {
  const { task, inbox } = observed;
  const attempt = attemptOf(task);
  const checks = inbox.verifyResult?.message.tests;
  const tests = checks ? { tests: `${checks.passed}/${checks.total}` } : {};
  const messages = ids(inbox.runResult, inbox.verifyResult, inbox.effectResult);
  const end = (status: AgentTaskStatus, note: Note): TaskPlan => ({
    actions: [
      { do: 'status', status, note },
      { do: 'settle', messages },
      { do: 'endAttempt', attempt },
      { do: 'release' },
    ],
  });
  if (result.commit === undefined) {
    const message = 'the task succeeded and changed nothing';
    return end(finished(task, now, 'Succeeded', reasons.NoChangesNeeded, message, { result, ...tests }), {
      type: 'Normal',
      reason: 'Succeeded',
      message,
    });
  }
  const answer = inbox.effectResult?.message;
  if (answer?.ok) {
    const { branch = '', findings } = answer;
    const look = findings ? '; status.result.findings says what to look at' : '';
    const message = `published ${result.commit.slice(0, 12)} as ${branch}${look}`;
    const published = findings ? { ...result, findings } : result;
    return end(finished(task, now, 'Succeeded', reasons.Completed, message, { result: published, branch, ...tests }), {
      type: 'Normal',
      reason: 'Succeeded',
      message,
    });
  }
  // Said of a try before, it says nothing new: another copy, or the same once more after a lost connection.
  const isNews = answer?.failure === 'permanent' || (answer?.retry ?? failuresOf(task)) === failuresOf(task);
  const failure = isNews ? answer : undefined;
  const refusal = failure && refusalOf(observed, failure, now);
  if (refusal) {
    const status = afterFailure(task, refusal, now, observed.random, { result, ...tests });
    return end(status, failureNote(task, status, refusal));
  }
  if (failure) return again(observed, failure, { result, ...tests }, now);
  return ask(observed, { ...result, commit: result.commit }, { result, ...tests }, now);
}

/** Why the branch is given up, if it is. */
function refusalOf({ task }: TaskObservation, answer: EffectResultMessage, now: number): Failure | undefined {
  const refusedSince = Date.parse(task.status?.publishing?.credentialsRefusedSince ?? '');
  const isOver = answer.failure === 'credentials' && now - refusedSince >= CREDENTIALS_PATIENCE_MS;
  if (answer.failure === 'temporary' || (answer.failure === 'credentials' && !isOver)) return undefined;
  const said = answer.message ?? 'no reason given';
  return {
    class: 'governance',
    reason: answer.reason === reasons.Fenced ? reasons.Fenced : reasons.PublishRefused,
    message: `the branch cannot be published: ${said}${isOver ? ' (tried for an hour)' : ''}`,
  };
}

/** Not for now: says so, and when it is tried again. Sandbox and slot are not needed any more, so others get the slot. */
function again(
  { task, inbox, random }: TaskObservation,
  { failure, message }: EffectResultMessage,
  known: Partial<AgentTaskStatus>,
  now: number,
): TaskPlan {
  const before = task.status?.publishing;
  const failures = failuresOf(task) + 1;
  const delay = fullJitter(PUBLISH_BACKOFF, failures - 1, () => random);
  const nextAt = iso(now + delay);
  const refusedSince = failure === 'credentials' ? (before?.credentialsRefusedSince ?? iso(now)) : undefined;
  const said = (message ?? 'no reason given').slice(0, 800);
  const words = `${branchOf(task)} is not published yet: ${said}; tried again at ${nextAt}`;
  const status = nextStatus(task, now, {
    ...known,
    phase: task.status?.phase ?? 'Running',
    reason: reasons.Publishing,
    message: words,
    publishing: {
      failures,
      nextAt,
      ...(refusedSince === undefined ? {} : { credentialsRefusedSince: refusedSince }),
    },
  });
  const note: Note = { type: 'Warning', reason: 'PublishDelayed', message: words };
  return {
    actions: [
      { do: 'status', status, ...(failures === 1 ? { note } : {}) },
      { do: 'settle', messages: ids(inbox.runResult, inbox.verifyResult, inbox.effectResult) },
      { do: 'release' },
    ],
    requeueAfterMs: delay,
  };
}

/** Sends the effect unless it is on its way already, or not due yet. */
function ask(
  observed: TaskObservation,
  result: NonNullable<AgentTaskStatus['result']> & { commit: string },
  known: Partial<AgentTaskStatus>,
  now: number,
): TaskPlan {
  const { task, inbox } = observed;
  const attempt = attemptOf(task);
  const branch = branchOf(task);
  const actions: TaskAction[] = [];
  const late = ids(inbox.effectResult);
  if (late.length > 0) actions.push({ do: 'settle', messages: late });
  const left = Math.max(pause(task, now), underWay(observed, now));
  if (left <= 0)
    actions.push({
      do: 'publishBranch',
      attempt,
      retry: failuresOf(task),
      commit: result.commit,
      ref: attemptRef(task.metadata.uid, attempt),
      base: baseRef(workflowOf(task)?.uid ?? task.metadata.uid),
      branch,
    });
  // What the forge said last stays until it says something else.
  if (!task.status?.publishing) {
    const status = nextStatus(task, now, {
      ...known,
      phase: task.status?.phase ?? 'Running',
      reason: reasons.Publishing,
      message: `publishes ${branch}`,
    });
    const isLong = isHeldLong(inbox.runResult, now) || isHeldLong(inbox.verifyResult, now);
    if (isLong)
      actions.push({ do: 'status', status }, { do: 'settle', messages: ids(inbox.runResult, inbox.verifyResult) });
    else actions.push({ do: 'status', lazy: true, status });
  }
  return { actions, requeueAfterMs: left > 0 ? left : RENEW_EFFECT_MS };
}

/** How many tries have failed. */
const failuresOf = ({ status }: AgentTask): number => status?.publishing?.failures ?? 0;

/** Milliseconds left of the wait after a failure. */
function pause({ status }: AgentTask, now: number): number {
  return status?.publishing ? Date.parse(status.publishing.nextAt) - now : 0;
}

/**
 * Milliseconds for which the answer to the effect is waited for; none when this process has not sent it since it was last due. What was sent
 * is answered, unless the broker has lost it, as it may have when it was away meanwhile.
 */
function underWay({ task, published, listeningSince }: TaskObservation, now: number): number {
  const { effect } = published;
  if (effect?.attempt !== attemptOf(task) || effect.at < Date.parse(task.status?.publishing?.nextAt ?? '')) return 0;
  const wasAway = listeningSince !== undefined && listeningSince > effect.at;
  const lostAt = effect.at + RENEW_EFFECT_MS;
  return (wasAway ? Math.min(lostAt, listeningSince + ANSWER_GRACE_MS) : lostAt) - now;
}
