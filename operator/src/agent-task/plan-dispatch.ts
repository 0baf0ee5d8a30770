import { reasons } from '@millwright/crds';
import { grantProblem } from '../dispatch/grant.ts';
import { missingProject } from '../project/missing.ts';
import { repositoryObstacle } from '../project/repository.ts';
import { keyOf } from '../runtime/resource.ts';
import type { TaskAction, TaskPlan } from './actions.ts';
import { choose } from './claims.ts';
import { endAttempt } from './end-attempt.ts';
import { dismiss } from './inbox.ts';
import { matchPools, type PoolMatch } from './matching.ts';
import type { TaskObservation } from './observation.ts';
import { publishWork, stuckStart } from './publish-work.ts';
import { attemptOf, finished, running, waiting } from './status.ts';

/** A task that no agent holds: it waits for something, is to be dispatched, or has a claim to decide. */
export function planDispatch(observed: TaskObservation, now: number): TaskPlan {
  const { task, project, owner, place } = observed;
  if (!project) return wait(observed, now, reasons.UnknownProject, missingProject(task));
  if (!project.spec.enabled)
    return wait(observed, now, reasons.ProjectDisabled, `Project "${project.metadata.name}" has spec.enabled: false`);
  if (task.spec.suspend || owner?.suspended)
    return wait(
      observed,
      now,
      reasons.Suspended,
      owner?.suspended ? `Workflow "${owner.name}" is suspended` : 'spec.suspend is true',
    );
  const problem = grantProblem(task, project);
  if (problem) return refuse(observed, now, problem);
  const obstacle = repositoryObstacle(project, task);
  if (obstacle) return wait(observed, now, obstacle.reason, obstacle.message);
  const backoff = Date.parse(task.status?.nextAttemptAt ?? '') - now;
  if (backoff > 0) {
    return { actions: [{ do: 'release' }, ...turnAway(observed)], requeueAfterMs: backoff };
  }
  const match = matchPools(task.spec, project, observed.pools);
  if (!match.ok) return wait(observed, now, reasons.NoCapablePool, match.message);
  if (place.state !== 'admitted') {
    const plan = place.reason ? wait(observed, now, place.reason, place.message ?? '', 'keep') : { actions: [] };
    return { ...plan, actions: [request(observed, match.pools), ...plan.actions] };
  }
  const chosen = match.pools.find(({ pool }) => keyOf(pool) === place.pool);
  // The pool whose slot it holds was disabled or changed: another one is to be found.
  if (!chosen) return { actions: [{ do: 'release' }, request(observed, match.pools)] };
  return planAdmitted(observed, match.pools, chosen, now);
}

function request({ task, owner }: TaskObservation, matches: readonly PoolMatch[]): TaskAction {
  const { namespace, uid, creationTimestamp } = task.metadata;
  return {
    do: 'request',
    candidate: {
      key: keyOf(task),
      uid,
      project: `${namespace}/${task.spec.projectRef.name}`,
      ...(owner ? { workflow: owner.uid } : {}),
      priority: task.spec.priority ?? 0,
      createdAt: Date.parse(creationTimestamp),
      pools: matches.map(({ pool }) => keyOf(pool)),
    },
  };
}

/** Admitted: publish the work once, and grant it to the first agent that may have it. */
function planAdmitted(
  observed: TaskObservation,
  matches: readonly PoolMatch[],
  chosen: PoolMatch,
  now: number,
): TaskPlan {
  const { task, inbox, epoch } = observed;
  const attempt = attemptOf(task);
  const { winner, grants, drops } = choose(observed, inbox.claims, 'run', matches);
  if (winner) {
    const { pool, pod } = winner;
    const name = `${task.metadata.namespace}/${pool}`;
    const actions: TaskAction[] = [
      {
        do: 'status',
        status: running(task, now, { pool, pod, epoch }),
        note: { type: 'Normal', reason: 'Dispatched', message: `attempt ${attempt} runs on ${pod}` },
      },
      ...grants,
      ...drops,
    ];
    if (keyOf(chosen.pool) !== name) actions.push({ do: 'occupy', pool: name });
    return { actions };
  }
  const stuck = stuckStart(observed, now);
  if (stuck) {
    const plan = endAttempt(observed, { class: 'infrastructure', ...stuck }, now, []);
    return { ...plan, actions: [...drops, ...plan.actions] };
  }
  const work = publishWork(observed, 'run', chosen, now);
  const { reason, message: why } = observed.trouble?.problem ?? { reason: reasons.Queued };
  const message = `attempt ${attempt} waits for an agent to claim it${why === undefined ? '' : `: ${why}`}`;
  const actions: TaskAction[] = [
    ...drops,
    ...work.actions,
    {
      do: 'status',
      lazy: true,
      status: waiting(task, now, reason, message),
      note: { type: why === undefined ? 'Normal' : 'Warning', reason, message },
    },
  ];
  return { actions, requeueAfterMs: work.requeueAfterMs };
}

/** A spec that no agent can be given: it cannot change, so this is the end. */
function refuse(observed: TaskObservation, now: number, message: string): TaskPlan {
  const { task } = observed;
  return {
    actions: [
      {
        do: 'status',
        status: finished(task, now, 'Failed', reasons.InvalidSpec, message),
        note: { type: 'Warning', reason: reasons.InvalidSpec, message },
      },
      ...dismiss(observed, 'the task has ended'),
      { do: 'release' },
    ],
  };
}

/** States what the task waits for. Without `keep` it gives up its place with the scheduler. */
function wait(
  observed: TaskObservation,
  now: number,
  reason: string,
  message: string,
  place: 'keep' | 'leave' = 'leave',
): TaskPlan {
  const { task } = observed;
  const known = task.status?.phase === 'Waiting' && task.status.reason === reason && task.status.message === message;
  const actions: TaskAction[] = place === 'leave' ? [{ do: 'release' }] : [];
  actions.push(...turnAway(observed));
  if (!known || task.status?.observedGeneration !== task.metadata.generation)
    actions.push({
      do: 'status',
      lazy: true,
      status: waiting(task, now, reason, message),
      note: {
        type: reason === reasons.CapacityFull || reason === reasons.ParallelismLimit ? 'Normal' : 'Warning',
        reason,
        message,
      },
    });
  return { actions };
}

/** Agents are not kept waiting for a task that waits itself; its work is published again when its time comes. */
const turnAway = ({ inbox }: TaskObservation): TaskAction[] =>
  inbox.claims.map((claim) => ({ do: 'drop', claim: claim.id, reason: 'the task is not to be run now' }));
