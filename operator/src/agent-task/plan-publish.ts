import { type AgentTaskStatus, reasons } from '@millwright/crds';
import type { Note } from '../note.ts';
import type { TaskAction, TaskPlan } from './actions.ts';
import { ids } from './inbox.ts';
import { attemptRef, branchName } from './names.ts';
import type { TaskObservation } from './observation.ts';
import { afterFailure, attemptOf, type Failure, finished, nextStatus } from './status.ts';

/** An effect that nobody has answered is asked for again; its identity makes that harmless. */
export const REPEAT_EFFECT_MS = 5 * 60_000;

/** Has the branch published and ends the task once the publisher has answered. */
export function publish(
  observed: TaskObservation,
  result: NonNullable<AgentTaskStatus['result']>,
  now: number,
): TaskPlan {
  const { task, inbox, published, owner } = observed;
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
    const branch = answer.branch ?? '';
    const message = `published ${result.commit.slice(0, 12)} as ${branch}`;
    return end(finished(task, now, 'Succeeded', reasons.Completed, message, { result, branch, ...tests }), {
      type: 'Normal',
      reason: 'Published',
      message,
    });
  }
  if (answer) {
    const said = answer.message ?? 'no reason given';
    const failure: Failure = answer.retryable
      ? { class: 'infrastructure', reason: reasons.PublishFailed, message: `publishing the branch failed: ${said}` }
      : { class: 'governance', reason: reasons.PublishRefused, message: `the branch cannot be published: ${said}` };
    return end(afterFailure(task, failure, now, observed.random, tests), {
      type: 'Warning',
      reason: 'AttemptFailed',
      message: failure.message.slice(0, 1024),
    });
  }
  const branch = branchName(
    owner?.name ?? 'tasks',
    task.metadata.labels?.['millwright.dev/task'] ?? task.metadata.name,
  );
  const actions: TaskAction[] = [];
  const sentAt = published.effect?.attempt === attempt ? published.effect.at : undefined;
  const left = sentAt === undefined ? 0 : sentAt + REPEAT_EFFECT_MS - now;
  if (left <= 0)
    actions.push({
      do: 'publishBranch',
      attempt,
      commit: result.commit,
      ref: attemptRef(task.metadata.uid, attempt),
      branch,
    });
  actions.push({
    do: 'status',
    lazy: true,
    status: nextStatus(task, now, {
      phase: task.status?.phase ?? 'Running',
      reason: reasons.Publishing,
      message: `publishes ${branch}`,
      result,
      ...tests,
    }),
  });
  return { actions, requeueAfterMs: left > 0 ? left : REPEAT_EFFECT_MS };
}
