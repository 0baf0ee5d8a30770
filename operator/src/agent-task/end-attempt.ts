import type { AgentTaskStatus } from '@millwright/crds';
import type { TaskAction, TaskPlan } from './actions.ts';
import type { TaskObservation } from './observation.ts';
import { afterFailure, attemptOf, type Failure, failureNote } from './status.ts';

/** A failed attempt: its status first, since it is what makes the messages superfluous. */
export function endAttempt(
  observed: TaskObservation,
  failure: Failure,
  now: number,
  messages: readonly number[],
  more: Partial<AgentTaskStatus> = {},
): TaskPlan {
  const { task } = observed;
  const attempt = attemptOf(task);
  const status = afterFailure(task, failure, now, observed.random, more);
  const actions: TaskAction[] = [{ do: 'status', status, note: failureNote(task, status, failure) }];
  if (messages.length > 0) actions.push({ do: 'settle', messages });
  actions.push({ do: 'endAttempt', attempt }, { do: 'release' });
  return { actions };
}
