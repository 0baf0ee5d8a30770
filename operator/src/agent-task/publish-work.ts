import type { WorkKey } from '@millwright/broker';
import type { WorkKind } from '@millwright/crds';
import type { Problem } from '../agent-pool/problem.ts';
import { ENDING_START_MS, STUCK_START_MS } from '../agent-pool/troubles.ts';
import { keyOf } from '../runtime/resource.ts';
import type { TaskAction } from './actions.ts';
import type { PoolMatch } from './matching.ts';
import type { TaskObservation } from './observation.ts';
import { attemptOf } from './status.ts';

/** Work that nobody has claimed is published again now and then: its queue may have expired with what was in it. Twice is harmless. */
export const RENEW_WORK_MS = 15 * 60_000;
/** Between publishing work and doing so again because the one agent that asked for it may not have it. */
export const REPEAT_WORK_MS = 5_000;

/** Between two looks at whether sandboxes that are to claim it are stuck in their start, once they may be. */
const LOOK_AT_STARTS_MS = 30_000;

/** Publishes the work of the current attempt unless it waits at the broker already, where the chosen pool's agents look. */
export function publishWork(
  { task, published }: TaskObservation,
  kind: WorkKind,
  { pool, key }: PoolMatch,
  now: number,
): { actions: TaskAction[]; requeueAfterMs: number } {
  const attempt = attemptOf(task);
  const name = keyOf(pool);
  const { work } = published;
  if (work?.attempt === attempt && work.kind === kind && work.pool === name && isSameKey(work.key, key)) {
    const left = work.at + (work.dropped ? REPEAT_WORK_MS : RENEW_WORK_MS) - now;
    const look = Math.max(work.at + STUCK_START_MS - now, LOOK_AT_STARTS_MS);
    if (left > 0) return { actions: [], requeueAfterMs: Math.min(left, look) };
  }
  return { actions: [{ do: 'publishWork', attempt, kind, key, pool: name }], requeueAfterMs: STUCK_START_MS };
}

/** Why nobody will claim the published work: sandboxes have not come to take it for as long as it has waited, and that is long. */
export function stuckStart({ trouble, published }: TaskObservation, now: number): Problem | undefined {
  if (!trouble || trouble.trying) return undefined;
  const waitsSince = Math.max(trouble.since, published.work?.at ?? 0);
  return now - waitsSince >= (trouble.stuck ? STUCK_START_MS : ENDING_START_MS) ? trouble.problem : undefined;
}

/** Capabilities are sorted in every key that `matchPools` makes. */
const isSameKey = (a: WorkKey, b: WorkKey): boolean =>
  a.engine === b.engine && a.image === b.image && a.capabilities.join() === b.capabilities.join();
