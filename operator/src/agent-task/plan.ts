import { type AgentTaskStatus, DEFAULT_TTL_SECONDS, isFinished, reasons } from '@millwright/crds';
import type { TaskAction, TaskPlan } from './actions.ts';
import { dismiss, withoutStale } from './inbox.ts';
import type { TaskObservation } from './observation.ts';
import { planAttempt } from './plan-attempt.ts';
import { planDispatch } from './plan-dispatch.ts';
import { attemptOf, beingPublished, finished, resultOf } from './status.ts';

/** What an agent has to finish and push its work, and the kill after it; past this the sandbox itself is ended. */
export const CANCEL_GRACE_MS = 12_000;

/**
 * Decides what to do about a task. Guards in order, the first that applies wins; pure, so a pass can be repeated after any failure.
 * @param now milliseconds since the epoch
 */
export function planTask(observed: TaskObservation, now: number): TaskPlan {
  const { observed: current, stale } = withoutStale(observed);
  const plan = decide(current, now);
  return stale.length > 0 ? { ...plan, actions: [{ do: 'settle', messages: stale }, ...plan.actions] } : plan;
}

function decide(observed: TaskObservation, now: number): TaskPlan {
  const { task } = observed;
  if (isFinished(task.status?.phase)) {
    const { actions, ...later } = planRemoval(observed, now);
    return { actions: [{ do: 'release' }, ...dismiss(observed, 'the task has ended'), ...actions], ...later };
  }
  const ending = endingOf(observed);
  if (ending) return planEnding(observed, ending, now);
  if (task.status?.phase === 'Running' || task.status?.phase === 'Verifying') return planAttempt(observed, now);
  return planDispatch(observed, now);
}

/** After its time to live a task that stands alone goes; the history stays. Those of a Workflow go with it. */
function planRemoval({ task, owner }: TaskObservation, now: number): TaskPlan {
  const left =
    Date.parse(task.status?.finishedAt ?? '') + (task.spec.ttlSecondsAfterFinished ?? DEFAULT_TTL_SECONDS) * 1000 - now;
  if (owner || task.metadata.deletionTimestamp || Number.isNaN(left)) return { actions: [] };
  return left > 0 ? { actions: [], requeueAfterMs: left } : { actions: [{ do: 'delete' }] };
}

interface Ending {
  reason: string;
  message: string;
}

/** Why the task is to end early, if it is. */
function endingOf({ task, owner }: TaskObservation): Ending | undefined {
  if (task.metadata.deletionTimestamp) return { reason: reasons.CancelledByUser, message: 'the task is being deleted' };
  if (task.spec.cancel) return { reason: reasons.CancelledByUser, message: 'spec.cancel was set' };
  if (owner?.gone) return { reason: reasons.CancelledByWorkflow, message: `Workflow "${owner.name}" was deleted` };
  return owner?.ending;
}

/** Cancels: at once when nobody works on it, else with a grace period in which the agent pushes what it has. */
function planEnding(observed: TaskObservation, ending: Ending, now: number): TaskPlan {
  const { task, sandbox, inbox, cancelSentAt } = observed;
  const attempt = attemptOf(task);
  const verdict = (more: Partial<AgentTaskStatus> = {}): TaskAction[] => [
    {
      do: 'status',
      status: finished(task, now, 'Cancelled', ending.reason, ending.message, more),
      note: { type: 'Normal', reason: 'Cancelled', message: ending.message },
    },
    ...dismiss(observed, 'the task was cancelled'),
    { do: 'endAttempt', attempt },
    { do: 'release' },
  ];
  const phase = task.status?.phase;
  const holder = phase === 'Verifying' ? task.status?.verifier : phase === 'Running' ? task.status?.agent : undefined;
  if (!holder || beingPublished(task)) return { actions: verdict() };
  if (phase === 'Running' && inbox.runResult)
    return { actions: verdict({ result: resultOf(task, inbox.runResult.message) }) };
  const gone = sandbox?.state === 'ended' || (sandbox?.state === 'missing' && sandbox.confirmed);
  if (inbox.verifyResult || gone) return { actions: verdict() };
  if (cancelSentAt === undefined)
    return { actions: [{ do: 'cancel', attempt, reason: ending.message }], requeueAfterMs: CANCEL_GRACE_MS };
  const left = cancelSentAt + CANCEL_GRACE_MS - now;
  if (left > 0) return { actions: [], requeueAfterMs: left };
  return { actions: [...verdict(), { do: 'deleteSandbox', pod: holder.pod }] };
}
