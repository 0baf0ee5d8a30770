import type { ClaimMessage, WorkKind } from '@millwright/crds';
import type { TaskAction } from './actions.ts';
import type { PoolMatch } from './matching.ts';
import type { TaskObservation, Unsettled } from './observation.ts';
import { attemptOf } from './status.ts';

/** Who gets the attempt, with the actions that tell all who asked. */
export interface Choice {
  winner?: ClaimMessage['agent'];
  /** The winner may have asked more than once: whichever answer it still waits for is the same. */
  grants: TaskAction[];
  drops: TaskAction[];
}

/** Chooses among claims, in order of arrival, for the current attempt. */
export function choose(
  observed: TaskObservation,
  claims: readonly Unsettled<ClaimMessage>[],
  kind: WorkKind,
  matches: readonly PoolMatch[],
): Choice {
  const grants: TaskAction[] = [];
  const drops: TaskAction[] = [];
  let winner: ClaimMessage['agent'] | undefined;
  for (const { id, message } of claims) {
    const isOther = winner !== undefined && winner.pod !== message.agent.pod;
    const reason = objection(observed, message, kind, matches) ?? (isOther ? 'another agent was faster' : undefined);
    if (reason !== undefined) drops.push({ do: 'drop', claim: id, reason });
    else {
      winner ??= message.agent;
      grants.push({ do: 'grant', claim: id, kind });
    }
  }
  return { ...(winner ? { winner } : {}), grants, drops };
}

/** Why an agent may not have what it claims. */
function objection(
  { task, draining }: TaskObservation,
  { attempt, kind, agent }: ClaimMessage,
  wanted: WorkKind,
  matches: readonly PoolMatch[],
): string | undefined {
  const current = attemptOf(task);
  if (kind !== wanted || attempt !== current)
    return `${wanted} of attempt ${current} waits, not ${kind} of attempt ${attempt}`;
  if (!matches.some(({ pool }) => pool.metadata.name === agent.pool)) return `pool ${agent.pool} may not run this task`;
  if (draining.has(agent.pod)) return 'the sandbox is being drained';
  if (kind === 'verify' && agent.pod === task.status?.agent?.pod) return 'who did the work does not verify it';
  return undefined;
}
