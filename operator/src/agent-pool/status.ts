import { type AgentPool, type AgentPoolStatus, type Condition, conditionTypes, reasons } from '@millwright/crds';
import { setCondition } from '../conditions.ts';
import type { PoolAction, PoolObservation, SandboxView } from './plan.ts';

const FAILURE_BACKOFF_MS = 2_000;
const FAILURE_BACKOFF_MAX_MS = 300_000;

export const live = (sandbox: SandboxView): boolean => sandbox.state !== 'succeeded' && sandbox.state !== 'failed';

/** Milliseconds until the next start after sandboxes that failed before they were given anything: they would fail again at once. */
export function failurePause(sandboxes: readonly SandboxView[], now: number): number {
  const newestFirst = sandboxes.filter((s) => s.state !== 'starting').sort((a, b) => b.ordinal - a.ordinal);
  const success = newestFirst.findIndex((sandbox) => sandbox.state !== 'failed');
  const failures = success < 0 ? newestFirst : newestFirst.slice(0, success);
  const last = failures[0]?.endedAt;
  if (last === undefined) return 0;
  const pause = Math.min(FAILURE_BACKOFF_MAX_MS, FAILURE_BACKOFF_MS * 2 ** Math.min(20, failures.length - 1));
  return Math.max(0, last + pause - now);
}

/** What is so, in numbers and in one condition. */
export function statusAction(observed: PoolObservation, started: number, now: number): PoolAction {
  const { pool, sandboxes } = observed;
  const count = (state: SandboxView['state']) => sandboxes.filter((s) => s.state === state && !s.draining).length;
  const problem = sandboxes.find((sandbox) => live(sandbox) && sandbox.problem)?.problem;
  const failing = failurePause(sandboxes, now) > 0;
  const generation = pool.metadata.generation ?? 1;
  const verdict = !pool.spec.enabled
    ? { ok: false, reason: reasons.Disabled, message: 'spec.enabled is false' }
    : problem
      ? { ok: false, ...problem }
      : failing
        ? {
            ok: false,
            reason: reasons.SandboxLost,
            message: 'sandboxes end before they take a task; look at the logs of their pods',
          }
        : { ok: true, reason: reasons.Ready, message: '' };
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
    message: verdict.message,
    conditions: setCondition(pool.status?.conditions ?? [], condition),
  };
  const changed = pool.status?.conditions?.find((c) => c.type === conditionTypes.Ready)?.reason !== verdict.reason;
  return {
    do: 'status',
    status,
    lazy: true,
    ...(changed && !verdict.ok ? { note: { type: 'Warning', reason: verdict.reason, message: verdict.message } } : {}),
  };
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
