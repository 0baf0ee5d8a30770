import {
  type AgentTask,
  type AgentTaskStatus,
  type AttemptRecord,
  type Condition,
  conditionTypes,
  type FailureClass,
  type ResultMessage,
  reasons,
  type TaskPhase,
} from '@millwright/crds';
import { traceIdOf } from '@millwright/otel';
import { setCondition } from '../conditions.ts';
import { duration } from '../duration.ts';
import type { Note } from '../note.ts';
import { fullJitter } from '../runtime/backoff.ts';
import { attemptRef } from './names.ts';
import { workflowOf } from './owner.ts';

/** Attempts that the infrastructure may lose before the task fails. */
export const MAX_INFRASTRUCTURE_FAILURES = 5;
const HISTORY = 10;

export interface Failure {
  class: FailureClass;
  reason: string;
  message: string;
}

export const attemptOf = (task: AgentTask): number => task.status?.attempt ?? 1;
export const iso = (ms: number): string => new Date(ms).toISOString();

/** The result that is being published, once the status says so: the messages that brought it are superfluous then. */
export const beingPublished = ({ status }: AgentTask): AgentTaskStatus['result'] =>
  status?.reason === reasons.Publishing ? status.result : undefined;

type Change = Partial<AgentTaskStatus> & { phase: TaskPhase; reason: string };

/** The next status: the current one with changes, conditions and printed strings brought up to date. */
export function nextStatus(task: AgentTask, now: number, change: Change): AgentTaskStatus {
  const current = task.status ?? {};
  const generation = task.metadata.generation ?? 1;
  const next: AgentTaskStatus = { ...current, ...change, observedGeneration: generation };
  next.traceID ??= traceIdOf(workflowOf(task)?.uid ?? task.metadata.uid);
  for (const [key, value] of Object.entries(next)) if (value === undefined) delete next[key as keyof AgentTaskStatus];
  const max = task.spec.retry.maxAttempts;
  const spent = (next.attempt ?? 1) - (next.infrastructureFailures ?? 0);
  next.try = `${Math.min(spent, max)}/${max}`;
  if (next.finishedAt) next.duration = duration(next.startedAt ?? next.finishedAt, next.finishedAt);
  next.conditions = conditionsOf(task, next, iso(now), generation);
  return next;
}

function conditionsOf(task: AgentTask, status: AgentTaskStatus, at: string, generation: number): Condition[] {
  let list = task.status?.conditions ?? [];
  const set = (type: string, value: 'True' | 'False' | 'Unknown', reason: string, message = '') => {
    list = setCondition(list, {
      type,
      status: value,
      reason,
      message,
      observedGeneration: generation,
      lastTransitionTime: at,
    });
  };
  const { phase = 'Pending', reason = '', message = '' } = status;
  const refused = reason === reasons.UnknownProject || reason === reasons.InvalidSpec;
  set(conditionTypes.Accepted, refused ? 'False' : 'True', refused ? reason : reasons.Accepted, refused ? message : '');
  const dispatched = phase !== 'Pending' && phase !== 'Waiting';
  if (dispatched)
    set(conditionTypes.Dispatched, 'True', 'Claimed', status.agent ? `claimed by ${status.agent.pod}` : '');
  else set(conditionTypes.Dispatched, 'False', reason, message);
  if (status.tests !== undefined && (phase === 'Succeeded' || phase === 'Failed' || phase === 'Waiting'))
    set(
      conditionTypes.ChecksPassed,
      reason === reasons.TestsFailed || phase !== 'Succeeded' ? 'False' : 'True',
      reason || phase,
      status.tests,
    );
  if (status.branch !== undefined) set(conditionTypes.Published, 'True', 'BranchPublished', status.branch);
  if (phase === 'Succeeded' || phase === 'Failed' || phase === 'Cancelled') {
    set(conditionTypes.Complete, phase === 'Succeeded' ? 'True' : 'False', reason, message);
    set(conditionTypes.Failed, phase === 'Succeeded' ? 'False' : 'True', reason, message);
  }
  return list;
}

/** Waits, and says for what. */
export function waiting(task: AgentTask, now: number, reason: string, message: string): AgentTaskStatus {
  return nextStatus(task, now, { phase: 'Waiting', reason, message, attempt: attemptOf(task) });
}

/** A claim was granted. */
export function running(
  task: AgentTask,
  now: number,
  agent: { pool: string; pod: string; epoch: number },
): AgentTaskStatus {
  return nextStatus(task, now, {
    phase: 'Running',
    reason: reasons.AgentRunning,
    message: `${agent.pod} is at work`,
    attempt: attemptOf(task),
    agent: { ...agent, at: iso(now) },
    startedAt: task.status?.startedAt ?? iso(now),
    queuedAt: task.status?.queuedAt ?? task.metadata.creationTimestamp,
  });
}

/** What a successful run is known to have produced. */
export function resultOf(task: AgentTask, result: ResultMessage): NonNullable<AgentTaskStatus['result']> {
  return {
    ...(result.summary === undefined ? {} : { summary: result.summary }),
    ...(result.base === undefined ? {} : { base: result.base }),
    ...(result.commit === undefined
      ? {}
      : { commit: result.commit, ref: attemptRef(task.metadata.uid, result.attempt) }),
    ...(result.artifacts === undefined ? {} : { artifacts: result.artifacts }),
  };
}

/** The end of the task. */
export function finished(
  task: AgentTask,
  now: number,
  phase: 'Succeeded' | 'Failed' | 'Cancelled',
  reason: string,
  message: string,
  more: Partial<AgentTaskStatus> = {},
): AgentTaskStatus {
  return nextStatus(task, now, {
    ...more,
    ...without('publishing'),
    phase,
    reason,
    message: message.slice(0, 1024),
    finishedAt: iso(now),
    attempt: attemptOf(task),
    history: record(task, now, phase, reason, message, more.history),
  });
}

function record(
  task: AgentTask,
  now: number,
  outcome: AttemptRecord['outcome'],
  reason: string,
  message: string,
  history: AttemptRecord[] | undefined,
  failureClass?: FailureClass,
): AttemptRecord[] {
  if (history) return history;
  const agent = task.status?.agent;
  const entry: AttemptRecord = {
    attempt: attemptOf(task),
    outcome,
    ...(failureClass === undefined ? {} : { class: failureClass }),
    reason,
    message: message.slice(0, 512),
    ...(agent === undefined ? {} : { pod: agent.pod, startedAt: agent.at }),
    finishedAt: iso(now),
  };
  return [...(task.status?.history ?? []), entry].slice(-HISTORY);
}

/**
 * What follows a failed attempt: another one after a delay, or the end. The class decides: the infrastructure has a counter of its own and
 * spends no attempts; governance is never repeated blindly.
 */
export function afterFailure(
  task: AgentTask,
  failure: Failure,
  now: number,
  random: number,
  more: Partial<AgentTaskStatus> = {},
): AgentTaskStatus {
  const attempt = attemptOf(task);
  const { maxAttempts, backoff } = task.spec.retry;
  const blameless = failure.class === 'infrastructure' || failure.class === 'provider';
  const infrastructureFailures = (task.status?.infrastructureFailures ?? 0) + (blameless ? 1 : 0);
  const spent = attempt - infrastructureFailures;
  const history = record(task, now, 'Failed', failure.reason, failure.message, undefined, failure.class);
  const common = { ...more, infrastructureFailures, history };
  const exhausted = blameless ? infrastructureFailures > MAX_INFRASTRUCTURE_FAILURES : spent >= maxAttempts;
  if (failure.class === 'governance' || exhausted) {
    const several = maxAttempts > 1 && !blameless && failure.class !== 'governance';
    const reason = several ? reasons.AttemptsExhausted : failure.reason;
    const message = several
      ? `all ${maxAttempts} attempts failed; the last: ${failure.reason}: ${failure.message}`
      : blameless
        ? `${failure.message} (${infrastructureFailures} attempts were lost to the infrastructure)`
        : failure.message;
    return finished(task, now, 'Failed', reason, message, common);
  }
  const policy = blameless
    ? { baseMs: 1000, capMs: 60_000 }
    : { baseMs: backoff.baseSeconds * 1000, capMs: backoff.maxSeconds * 1000 };
  const delay = fullJitter(policy, blameless ? infrastructureFailures - 1 : spent - 1, () => random);
  return nextStatus(task, now, {
    ...common,
    ...without('agent', 'verifier', 'result', 'tests', 'publishing'),
    phase: 'Waiting',
    reason: reasons.BackingOff,
    message: `attempt ${attempt} failed: ${failure.reason}: ${failure.message}`.slice(0, 1024),
    attempt: attempt + 1,
    nextAttemptAt: iso(now + delay),
  });
}

/** What is told of a failed attempt: with the last one, the task has failed. `status` is what follows from it. */
export function failureNote(task: AgentTask, status: AgentTaskStatus, failure: Failure): Note {
  const message = `attempt ${attemptOf(task)}: ${failure.class}: ${failure.reason}: ${failure.message}`;
  return {
    type: 'Warning',
    reason: status.phase === 'Failed' ? 'Failed' : 'AttemptFailed',
    message: message.slice(0, 1024),
  };
}

/** Keys to remove from a status: explicit, so that a merge never keeps what belonged to the attempt before. */
function without(...keys: ('agent' | 'verifier' | 'result' | 'tests' | 'publishing')[]): Partial<AgentTaskStatus> {
  return Object.fromEntries(keys.map((key) => [key, undefined]));
}
