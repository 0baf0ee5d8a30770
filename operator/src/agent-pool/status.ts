import { type AgentPool, type AgentPoolStatus, type Condition, conditionTypes, reasons } from '@millwright/crds';
import { setCondition } from '../conditions.ts';
import type { PoolAction, PoolObservation, SandboxView } from './plan.ts';

export const live = (sandbox: SandboxView): boolean => sandbox.state !== 'succeeded' && sandbox.state !== 'failed';

/** What is so, in numbers and in one condition. */
export function statusAction(observed: PoolObservation, started: number, now: number): PoolAction {
  const { pool, sandboxes } = observed;
  const count = (state: SandboxView['state']) => sandboxes.filter((s) => s.state === state && !s.draining).length;
  const generation = pool.metadata.generation ?? 1;
  const verdict = verdictOf(observed);
  const condition: Condition = {
    type: conditionTypes.Ready,
    status: verdict.ok ? 'True' : 'False',
    reason: verdict.reason,
    message: verdict.message,
    observedGeneration: generation,
    lastTransitionTime: new Date(now).toISOString(),
  };
  const sequence = Math.max(pool.status?.sequence ?? 0, ...sandboxes.map((s) => s.ordinal)) + started;
  const status: AgentPoolStatus = {
    ...pool.status,
    observedGeneration: generation,
    idle: count('idle'),
    busy: pool.spec.external ? observed.inUse : count('spent'),
    starting: count('starting') + started,
    waiting: observed.waiting,
    sequence,
    queues: observed.queues.slice(0, 64),
    message: verdict.message.slice(0, 1024),
    conditions: setCondition(pool.status?.conditions ?? [], condition),
  };
  const changed = pool.status?.conditions?.find((c) => c.type === conditionTypes.Ready)?.reason !== verdict.reason;
  return {
    do: 'status',
    status,
    lazy: true,
    ...(changed && verdict.reason !== reasons.Ready
      ? { note: { type: 'Warning', reason: verdict.reason, message: verdict.message } }
      : {}),
  };
}

/** A pool that other images start on is ready, and says which one does not. */
function verdictOf({ pool, sandboxes, demand, warmImages, troubles, projects }: PoolObservation) {
  if (!pool.spec.enabled) return { ok: false, reason: reasons.Disabled, message: 'spec.enabled is false' };
  const inUse = new Set([...demand.keys(), ...warmImages, ...sandboxes.filter(live).map(({ image }) => image)]);
  const [first, ...others] = [...troubles].filter(([image]) => inUse.has(image));
  const works = new Set(sandboxes.filter(({ state }) => state === 'idle').map(({ image }) => image));
  if (first) {
    const [image, { problem }] = first;
    const named = projects(image)
      .slice(0, 3)
      .map((name) => `Project ${name}`);
    const whose = named.length > 0 ? ` (${named.join(', ')})` : '';
    const more = others.length > 0 ? ` and ${others.length} more` : '';
    const message = `image ${image.slice(0, 200)}${whose}${more}: ${problem.message}`;
    const ok = [...inUse].some((each) => !troubles.has(each) || works.has(each));
    return { ok, reason: problem.reason, message };
  }
  const other = sandboxes.find((sandbox) => live(sandbox) && sandbox.problem)?.problem;
  if (other) return { ok: false, ...other };
  return { ok: true, reason: reasons.Ready, message: '' };
}

/**
 * The status of a pool for which an action has failed: what it was, but for the reason.
 * @param now milliseconds since the epoch
 */
export function hinderedStatus(
  pool: AgentPool,
  { reason, message }: { reason: string; message: string },
  now: number,
): AgentPoolStatus {
  const generation = pool.metadata.generation ?? 1;
  const condition: Condition = {
    type: conditionTypes.Ready,
    status: 'False',
    reason,
    message,
    observedGeneration: generation,
    lastTransitionTime: new Date(now).toISOString(),
  };
  return {
    ...pool.status,
    observedGeneration: generation,
    message: message.slice(0, 1024),
    conditions: setCondition(pool.status?.conditions ?? [], condition),
  };
}
