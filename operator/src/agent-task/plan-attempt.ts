import { type AgentTaskStatus, type ResultMessage, reasons } from '@millwright/crds';
import type { Note } from '../note.ts';
import type { TaskAction, TaskPlan } from './actions.ts';
import { matchPools } from './matching.ts';
import { attemptRef, branchName } from './names.ts';
import type { TaskObservation, Unsettled } from './observation.ts';
import { afterFailure, attemptOf, type Failure, finished, iso, nextStatus, resultOf } from './status.ts';

/** Silence after which an agent without a pod (or behind a dead broker connection) counts as lost. */
export const HEARTBEAT_TIMEOUT_MS = 60_000;
/** What a result may need from the end of a pod through a backlog of messages to here. */
export const RESULT_GRACE_MS = 10_000;
/** Beyond its time limit, what an agent gets to notice and report that itself. */
export const DEADLINE_GRACE_MS = 30_000;

/** A task that an agent holds: running, or being verified, or being published. */
export function planAttempt(observed: TaskObservation, now: number): TaskPlan {
  const { inbox, task } = observed;
  const claims = answerClaims(observed);
  const run = inbox.runResult;
  if (task.status?.phase === 'Running') {
    if (!run) return prepend(claims, holderLost(observed, 'run', now));
    if (run.message.outcome !== 'succeeded') return prepend(claims, failed(observed, run, now));
  }
  const result = run ? resultOf(task, run.message) : (task.status?.result ?? {});
  const checks = inbox.verifyResult;
  const needsChecks = (task.spec.acceptance ?? []).length > 0;
  if (needsChecks && !checks) return verify(observed, result, claims, now);
  if (needsChecks && checks?.message.outcome !== 'succeeded' && checks)
    return prepend(claims, failed(observed, checks, now));
  return prepend(claims, publish(observed, result, now));
}

const prepend = (actions: readonly TaskAction[], plan: TaskPlan): TaskPlan => ({
  ...plan,
  actions: [...actions, ...plan.actions],
});

const ids = (...messages: (Unsettled<unknown> | undefined)[]): number[] => messages.flatMap((m) => (m ? [m.id] : []));

/** The holder asking again gets the same answer; others are told to drop it. Claims to verify are decided in `verify`. */
function answerClaims({ task, inbox }: TaskObservation): TaskAction[] {
  const attempt = attemptOf(task);
  const { agent, verifier } = task.status ?? {};
  return inbox.claims.flatMap((claim): TaskAction[] => {
    const { kind, attempt: claimed, agent: by } = claim.message;
    const holder = kind === 'run' ? agent : verifier;
    if (claimed === attempt && holder?.pod === by.pod) return [{ do: 'grant', claim: claim.id, kind }];
    if (claimed === attempt && kind === 'verify' && by.pod !== agent?.pod && !verifier) return [];
    return [
      {
        do: 'drop',
        claim: claim.id,
        reason: `attempt ${claimed} is ${holder ? `held by ${holder.pod}` : 'not to be run'}`,
      },
    ];
  });
}

/** Runs the acceptance commands in a fresh sandbox: dispatches them, grants a claim, waits for the answer. */
function verify(
  observed: TaskObservation,
  result: NonNullable<AgentTaskStatus['result']>,
  claims: TaskAction[],
  now: number,
): TaskPlan {
  const { task, inbox, published, draining, epoch, project, pools } = observed;
  const attempt = attemptOf(task);
  if (task.status?.phase === 'Verifying' && task.status.verifier)
    return prepend(claims, holderLost(observed, 'verify', now));
  const verifying = (more: Partial<AgentTaskStatus>, message: string): AgentTaskStatus =>
    nextStatus(task, now, { ...more, phase: 'Verifying', reason: reasons.RunningAcceptance, message, result });
  const actions = [...claims];
  const open = inbox.claims.filter((claim) => !claims.some((action) => 'claim' in action && action.claim === claim.id));
  const winner = open.find((claim) => !draining.has(claim.message.agent.pod));
  for (const claim of open)
    if (claim !== winner) actions.push({ do: 'drop', claim: claim.id, reason: 'another agent verifies it' });
  const match = project ? matchPools(task.spec, project, pools) : undefined;
  if (!match?.ok) {
    actions.push({
      do: 'status',
      lazy: true,
      status: verifying({}, `verification waits: ${match?.message ?? 'the Project is gone'}`),
    });
    return { actions };
  }
  if (winner) {
    const { pool, pod } = winner.message.agent;
    const message = `${pod} runs the acceptance commands`;
    actions.push(
      {
        do: 'status',
        status: verifying({ verifier: { pool, pod, epoch, at: iso(now) } }, message),
        note: { type: 'Normal', reason: 'Verifying', message },
      },
      { do: 'settle', messages: ids(inbox.runResult) },
      { do: 'grant', claim: winner.id, kind: 'verify' },
    );
    return { actions };
  }
  const key = match.pools[0]?.key;
  if (key && (published.work?.attempt !== attempt || published.work.kind !== 'verify'))
    actions.push({ do: 'publishWork', attempt, kind: 'verify', key });
  actions.push({
    do: 'status',
    lazy: true,
    status: verifying({}, 'waits for a fresh sandbox to run the acceptance commands'),
  });
  // Only a status that holds the result makes the message superfluous.
  if (task.status?.phase === 'Verifying' && inbox.runResult)
    actions.push({ do: 'settle', messages: ids(inbox.runResult) });
  return { actions };
}

/** Has the branch published and ends the task once the publisher has answered. */
function publish(observed: TaskObservation, result: NonNullable<AgentTaskStatus['result']>, now: number): TaskPlan {
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
    const message = `publishing the branch failed: ${answer.message ?? 'no reason given'}`;
    const failure: Failure = {
      class: answer.retryable ? 'infrastructure' : 'governance',
      reason: reasons.PublishFailed,
      message,
    };
    return end(afterFailure(task, failure, now, observed.random, tests), {
      type: 'Warning',
      reason: 'AttemptFailed',
      message,
    });
  }
  const branch = branchName(
    owner?.name ?? 'tasks',
    task.metadata.labels?.['millwright.dev/task'] ?? task.metadata.name,
  );
  const actions: TaskAction[] = [];
  if (published.effect?.attempt !== attempt)
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
  return { actions };
}

/** A run or a verification that did not succeed. */
function failed(observed: TaskObservation, { message }: Unsettled<ResultMessage>, now: number): TaskPlan {
  const { task, inbox } = observed;
  const checks = message.tests;
  const failure: Failure = {
    class: message.class ?? (message.kind === 'verify' ? 'verification' : 'agent'),
    reason: message.reason ?? (message.kind === 'verify' ? reasons.TestsFailed : reasons.CommandFailed),
    message: message.message ?? message.summary ?? 'the agent gave no reason',
  };
  const more: Partial<AgentTaskStatus> = {
    result: message.kind === 'run' ? resultOf(task, message) : (task.status?.result ?? {}),
    ...(checks ? { tests: `${checks.passed}/${checks.total}` } : {}),
  };
  return endAttempt(observed, failure, now, ids(inbox.runResult, inbox.verifyResult, inbox.effectResult), more);
}

function endAttempt(
  observed: TaskObservation,
  failure: Failure,
  now: number,
  messages: readonly number[],
  more: Partial<AgentTaskStatus> = {},
): TaskPlan {
  const { task } = observed;
  const attempt = attemptOf(task);
  const status = afterFailure(task, failure, now, observed.random, more);
  const message = `attempt ${attempt}: ${failure.class}: ${failure.reason}: ${failure.message}`;
  const actions: TaskAction[] = [
    { do: 'status', status, note: { type: 'Warning', reason: 'AttemptFailed', message: message.slice(0, 1024) } },
  ];
  if (messages.length > 0) actions.push({ do: 'settle', messages });
  actions.push({ do: 'endAttempt', attempt }, { do: 'release' });
  return { actions };
}

/** Watches over the holder of a grant: its pod, its heartbeats, its time limit. */
function holderLost(observed: TaskObservation, kind: 'run' | 'verify', now: number): TaskPlan {
  const { task, sandbox, lastHeartbeatAt, cancelSentAt } = observed;
  const holder = kind === 'run' ? task.status?.agent : task.status?.verifier;
  if (!holder) return { actions: [] };
  const attempt = attemptOf(task);
  const lost = (reason: string, message: string): TaskPlan =>
    endAttempt(observed, { class: 'infrastructure', reason, message }, now, []);
  if (sandbox && (sandbox.state === 'ended' || sandbox.state === 'missing')) {
    const left = (sandbox.goneSince ?? now) + RESULT_GRACE_MS - now;
    if (left > 0) return { actions: [], requeueAfterMs: left };
    if (!sandbox.confirmed) return { actions: [{ do: 'confirmSandbox', pod: holder.pod }] };
    const evicted = sandbox.reason === 'Evicted' || sandbox.reason === 'Preempted';
    return lost(
      evicted ? reasons.Evicted : reasons.SandboxLost,
      `sandbox ${holder.pod} ${sandbox.state === 'missing' ? 'is gone' : 'ended'} without a result${sandbox.message ? `: ${sandbox.message}` : ''}`,
    );
  }
  const since = Math.max(lastHeartbeatAt ?? 0, Date.parse(holder.at));
  const deadline = Date.parse(holder.at) + task.spec.timeoutSeconds * 1000 + DEADLINE_GRACE_MS;
  if (now >= deadline) {
    if (cancelSentAt === undefined)
      return {
        actions: [{ do: 'cancel', attempt, reason: 'the time limit has passed' }],
        requeueAfterMs: RESULT_GRACE_MS,
      };
    if (now - cancelSentAt < RESULT_GRACE_MS)
      return { actions: [], requeueAfterMs: cancelSentAt + RESULT_GRACE_MS - now };
    const message = `no result within spec.timeoutSeconds (${task.spec.timeoutSeconds}) and a grace period`;
    const failure: Failure = {
      class: kind === 'run' ? 'agent' : 'verification',
      reason: reasons.DeadlineExceeded,
      message,
    };
    const plan = endAttempt(observed, failure, now, []);
    return { ...plan, actions: [...plan.actions, { do: 'deleteSandbox', pod: holder.pod }] };
  }
  if (now - since >= HEARTBEAT_TIMEOUT_MS) {
    const plan = lost(reasons.SandboxLost, `${holder.pod} has been silent for ${Math.round((now - since) / 1000)} s`);
    return sandbox?.state === 'alive'
      ? { ...plan, actions: [...plan.actions, { do: 'deleteSandbox', pod: holder.pod }] }
      : plan;
  }
  return { actions: [], requeueAfterMs: Math.min(since + HEARTBEAT_TIMEOUT_MS, deadline) - now + 1 };
}
