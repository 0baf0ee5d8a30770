import { type AgentTaskStatus, type ResultMessage, reasons } from '@millwright/crds';
import type { Note } from '../note.ts';
import { missingProject } from '../project/missing.ts';
import { keyOf } from '../runtime/resource.ts';
import type { TaskAction, TaskPlan } from './actions.ts';
import { choose } from './claims.ts';
import { endAttempt } from './end-attempt.ts';
import { ids, isHeldLong } from './inbox.ts';
import { matchPools } from './matching.ts';
import type { TaskObservation, Unsettled } from './observation.ts';
import { holderLost } from './plan-holder.ts';
import { publish } from './plan-publish.ts';
import { publishWork, stuckStart } from './publish-work.ts';
import { attemptOf, beingPublished, type Failure, iso, nextStatus, resultOf } from './status.ts';

/** A task that an agent holds: running, or being verified, or being published. */
export function planAttempt(observation: TaskObservation, now: number): TaskPlan {
  const { observed, superfluous } = withoutSuperfluous(observation);
  const plan = decide(observed, now);
  return superfluous.length > 0 ? prepend([{ do: 'settle', messages: superfluous }], plan) : plan;
}

function decide(observed: TaskObservation, now: number): TaskPlan {
  const { inbox, task } = observed;
  const claims = answerClaims(observed);
  const kept = beingPublished(task);
  if (kept) return prepend(claims, publish(observed, kept, now));
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

/**
 * The observation without results whose consequence is written, and their ids: second copies, and what came again after a lost connection.
 * Held until the attempt ends, they would fill the prefetch of the queue on which its end is told.
 */
function withoutSuperfluous(observed: TaskObservation): { observed: TaskObservation; superfluous: number[] } {
  const { task } = observed;
  const isPublished = beingPublished(task) !== undefined;
  if (!isPublished && task.status?.phase !== 'Verifying') return { observed, superfluous: [] };
  const { runResult, ...inbox } = observed.inbox;
  if (!isPublished) return { observed: { ...observed, inbox }, superfluous: ids(runResult) };
  const { verifyResult, ...rest } = inbox;
  return { observed: { ...observed, inbox: rest }, superfluous: ids(runResult, verifyResult) };
}

const prepend = (actions: readonly TaskAction[], plan: TaskPlan): TaskPlan => ({
  ...plan,
  actions: [...actions, ...plan.actions],
});

/**
 * The holder asking again gets the same answer as long as its work is not done; others are told to drop it. Claims to verify are decided
 * in `verify`, if that is where the plan goes.
 */
function answerClaims(observed: TaskObservation): TaskAction[] {
  const { task, inbox } = observed;
  const attempt = attemptOf(task);
  const { agent, verifier, phase } = task.status ?? {};
  return inbox.claims.flatMap((claim): TaskAction[] => {
    const { kind, attempt: claimed, agent: by } = claim.message;
    const holder = kind === 'run' ? agent : verifier;
    const isDone =
      beingPublished(task) || (kind === 'run' ? phase !== 'Running' || inbox.runResult : inbox.verifyResult);
    if (claimed === attempt && holder?.pod === by.pod && !isDone) return [{ do: 'grant', claim: claim.id, kind }];
    if (claimed === attempt && kind === 'verify' && wantsVerifier(observed)) return [];
    return [
      {
        do: 'drop',
        claim: claim.id,
        reason: `attempt ${claimed} is ${holder ? `held by ${holder.pod}` : 'not to be run'}`,
      },
    ];
  });
}

/**
 * Whether there is something to verify and nobody who does. A claim that comes before that is dropped: whoever may send claims for a pool could
 * fill the prefetch with those that wait for a run to end. The work is published when it is due, since it counts as dropped, or as not published.
 */
function wantsVerifier({ task, inbox }: TaskObservation): boolean {
  const { phase, verifier } = task.status ?? {};
  if (beingPublished(task) || verifier || inbox.verifyResult || !task.spec.acceptance?.length) return false;
  return phase === 'Verifying' || inbox.runResult?.message.outcome === 'succeeded';
}

/** Runs the acceptance commands in a fresh sandbox: dispatches them, grants a claim, waits for the answer. */
function verify(
  observed: TaskObservation,
  result: NonNullable<AgentTaskStatus['result']>,
  claims: TaskAction[],
  now: number,
): TaskPlan {
  const { task, inbox, epoch, project, pools, place } = observed;
  if (task.status?.phase === 'Verifying' && task.status.verifier)
    return prepend(claims, holderLost(observed, 'verify', now));
  const verifying = (more: Partial<AgentTaskStatus>, message: string, reason: string = reasons.RunningAcceptance) =>
    nextStatus(task, now, { ...more, phase: 'Verifying', reason, message, result });
  const open = inbox.claims.filter((claim) => !claims.some((action) => 'claim' in action && action.claim === claim.id));
  const match = project ? matchPools(task.spec, project, pools) : undefined;
  const matches = match?.ok ? match.pools : [];
  const { winner, grants, drops } = choose(observed, open, 'verify', matches);
  const actions = [...claims];
  if (winner) {
    const { pool, pod } = winner;
    const message = `${pod} runs the acceptance commands`;
    actions.push(
      {
        do: 'status',
        status: verifying({ verifier: { pool, pod, epoch, at: iso(now) } }, message),
        note: { type: 'Normal', reason: 'Verifying', message },
      },
      { do: 'settle', messages: ids(inbox.runResult) },
      ...grants,
      ...drops,
    );
    return { actions };
  }
  const stuck = stuckStart(observed, now);
  if (stuck) {
    const failure: Failure = { class: 'infrastructure', ...stuck };
    return prepend([...actions, ...drops], endAttempt(observed, failure, now, ids(inbox.runResult)));
  }
  const chosen = matches.find(({ pool }) => place.state === 'admitted' && keyOf(pool) === place.pool) ?? matches[0];
  const work = chosen ? publishWork(observed, 'verify', chosen, now) : undefined;
  const isDue = isHeldLong(inbox.runResult, now);
  actions.push(...drops, ...(work?.actions ?? []), {
    do: 'status',
    ...(isDue ? {} : { lazy: true }),
    ...verificationWait(),
  });
  // Only a status that holds the result makes the message superfluous.
  if (isDue) actions.push({ do: 'settle', messages: ids(inbox.runResult) });
  return { actions, ...(work ? { requeueAfterMs: work.requeueAfterMs } : {}) };

  function verificationWait(): { status: AgentTaskStatus; note?: Note } {
    if (work) {
      const { trouble } = observed;
      const why = trouble ? `: ${trouble.problem.message}` : '';
      return { status: verifying({}, `waits for a fresh sandbox to run the acceptance commands${why}`) };
    }
    const [reason, why] =
      match?.ok === false ? [reasons.NoCapablePool, match.message] : [reasons.UnknownProject, missingProject(task)];
    const message = `verification waits: ${why}`;
    const known = task.status?.reason === reason;
    return {
      status: verifying({}, message, reason),
      ...(known ? {} : { note: { type: 'Warning', reason, message } }),
    };
  }
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
    result:
      message.kind === 'run'
        ? resultOf(task, message)
        : { ...task.status?.result, ...(message.summary === undefined ? {} : { summary: message.summary }) },
    ...(checks ? { tests: `${checks.passed}/${checks.total}` } : {}),
  };
  return endAttempt(observed, failure, now, ids(inbox.runResult, inbox.verifyResult, inbox.effectResult), more);
}
