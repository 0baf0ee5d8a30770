import type { AgentPool, AgentPoolStatus } from '@millwright/crds';
import type { Note } from '../note.ts';
import type { Preparation } from './preparations.ts';
import type { Problem } from './problem.ts';
import { failurePause, live, statusAction } from './status.ts';

/** A sandbox Job and what is known of its pod. */
export interface SandboxView {
  job: string;
  ordinal: number;
  /** Workspace image it was started with. */
  image: string;
  pod?: string;
  /** `spent`: was granted a task, and ends by itself. */
  state: 'starting' | 'idle' | 'spent' | 'succeeded' | 'failed';
  /** It is to get no more work. */
  draining: boolean;
  /** The API server has taken the deletion of its Job. */
  deleted: boolean;
  /** It was made from other settings than one would be now. */
  outdated: boolean;
  createdAt: number;
  /** When it ended, in milliseconds since the epoch. */
  endedAt?: number;
  /** Why it does not start, for example an image that cannot be pulled. */
  problem?: Problem;
}

/** All that the plan for a pool may look at. */
export interface PoolObservation {
  pool: AgentPool;
  sandboxes: readonly SandboxView[];
  /** Published work that no agent has claimed yet, by workspace image. */
  demand: ReadonlyMap<string, number>;
  /** Workspace images of the namespace's projects on this pool, kept warm. */
  warmImages: readonly string[];
  /** Tasks at work on the pool, for pools whose agents run outside. */
  inUse: number;
  /** Tasks that wait for a slot of the pool. */
  waiting: number;
  /** Work queues its agents consume. */
  queues: readonly string[];
  /** Whether broker user, Secret and NetworkPolicy are there for this generation. */
  preparation: Preparation;
}

export type PoolAction =
  | { do: 'prepare' }
  | { do: 'startSandbox'; ordinal: number; image: string }
  | { do: 'drain'; job: string; pod?: string }
  | { do: 'status'; status: AgentPoolStatus; lazy?: boolean; note?: Note };

export interface PoolPlan {
  actions: PoolAction[];
  requeueAfterMs?: number;
}

/** An idle sandbox that nobody needs is kept for so long, since the next task may come soon. */
export const IDLE_KEPT_MS = 120_000;
const free = (sandbox: SandboxView): boolean =>
  !sandbox.draining && (sandbox.state === 'idle' || sandbox.state === 'starting');

/** Told to take no more work, while the deletion that was to follow has failed: nothing else would end it for a day. */
const undeleted = ({ draining, deleted, state }: SandboxView): boolean =>
  draining && !deleted && (state === 'idle' || state === 'starting');

/**
 * Decides how many sandboxes a pool needs: enough free ones for published work and the warm ones, never more than `scale.max`.
 * @param now milliseconds since the epoch
 */
export function planPool(observed: PoolObservation, now: number): PoolPlan {
  const { pool, sandboxes } = observed;
  if (pool.metadata.deletionTimestamp) return { actions: [] };
  const actions: PoolAction[] = [];
  const wanted = wantedFree(observed);
  if (observed.preparation === 'missing') actions.push({ do: 'prepare' });
  let requeueAfterMs: number | undefined;
  let started = 0;
  if (!pool.spec.external) {
    const pause = failurePause(sandboxes, now);
    const scaled = scale(observed, wanted, pause > 0, now);
    actions.push(...scaled.actions);
    started = scaled.started;
    requeueAfterMs = pause > 0 && scaled.missing > 0 ? pause : scaled.requeueAfterMs;
  }
  // A look that fails, since the broker's management is away for a while, keeps no sandbox from starting.
  if (observed.preparation === 'due') actions.push({ do: 'prepare' });
  actions.push(statusAction(observed, started, now));
  return { actions, ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }) };
}

function wantedFree({ pool, demand, warmImages }: PoolObservation): Map<string, number> {
  const wanted = new Map<string, number>();
  if (!pool.spec.enabled) return wanted;
  // Work that waits goes before what is kept warm, which may be an image that never starts.
  for (const [image, count] of demand) wanted.set(image, count);
  for (const image of warmImages) wanted.set(image, Math.max(pool.spec.scale.warm, wanted.get(image) ?? 0));
  return wanted;
}

interface Scaled {
  actions: PoolAction[];
  started: number;
  /** Sandboxes that are wanted and not started. */
  missing: number;
  requeueAfterMs?: number;
}

function scale(
  { pool, sandboxes, demand }: PoolObservation,
  wanted: ReadonlyMap<string, number>,
  paused: boolean,
  now: number,
): Scaled {
  const actions: PoolAction[] = [];
  let room = pool.spec.scale.max - sandboxes.filter(live).length;
  let ordinal = Math.max(pool.status?.sequence ?? 0, ...sandboxes.map((sandbox) => sandbox.ordinal));
  let missing = 0;
  /** Of those missing, for work that waits. */
  let needed = 0;
  let started = 0;
  for (const [image, count] of wanted) {
    const there = sandboxes.filter((sandbox) => free(sandbox) && sandbox.image === image).length;
    const short = Math.max(0, count - there);
    const start = paused ? 0 : Math.max(0, Math.min(short, room));
    for (let i = 0; i < start; i++) actions.push({ do: 'startSandbox', ordinal: ++ordinal, image });
    room -= start;
    started += start;
    missing += short - start;
    needed += Math.max(0, (pool.spec.enabled ? (demand.get(image) ?? 0) : 0) - there - start);
  }
  const surplus = surplusOf(sandboxes, wanted);
  const going = sandboxes.filter((s) => s.draining && (s.state === 'idle' || s.state === 'starting')).length;
  // Full of idle sandboxes of another image: they make room at once, else only when they have idled for long.
  const due =
    missing > 0 && !paused
      ? [...surplus, ...warmOf(sandboxes, surplus, demand)].slice(
          0,
          Math.max(0, Math.max(needed, Math.min(missing, surplus.length)) - going),
        )
      : surplus.filter((s) => now - s.createdAt >= IDLE_KEPT_MS);
  const rolled = paused ? [] : outdated(sandboxes, actions);
  for (const sandbox of new Set([...sandboxes.filter(undeleted), ...due, ...rolled]))
    actions.push({ do: 'drain', job: sandbox.job, ...(sandbox.pod === undefined ? {} : { pod: sandbox.pod }) });
  const next = surplus.find((sandbox) => !due.includes(sandbox));
  return {
    actions,
    started,
    missing,
    ...(next ? { requeueAfterMs: Math.max(1000, next.createdAt + IDLE_KEPT_MS - now) } : {}),
  };
}

/**
 * Sandboxes of older settings to be replaced now: of each image a quarter of the idle ones at a time, or one, so that warm capacity stays, and
 * the next only when those before have been replaced. What cannot start as it was made is no capacity.
 */
function outdated(sandboxes: readonly SandboxView[], starts: readonly PoolAction[]): SandboxView[] {
  const old = sandboxes.filter((sandbox) => free(sandbox) && sandbox.outdated);
  const stuck = old.filter(({ state, problem }) => state === 'starting' && problem);
  const idle = [...new Set(old.map(({ image }) => image))].flatMap((image) => {
    const same = sandboxes.filter((sandbox) => sandbox.image === image);
    const left = same.filter(({ state, draining }) => state === 'idle' && !draining).length;
    const onTheWay =
      same.filter(({ state, draining }) => state === 'starting' || (state === 'idle' && draining)).length +
      starts.filter((action) => action.do === 'startSandbox' && action.image === image).length;
    const now = Math.max(0, Math.max(1, Math.floor(left / 4)) - onTheWay);
    return old.filter((sandbox) => sandbox.image === image && sandbox.state === 'idle').slice(0, now);
  });
  return [...stuck, ...idle];
}

/** Free sandboxes that no waiting work needs although they are to be kept warm, those first that do not start. */
function warmOf(
  sandboxes: readonly SandboxView[],
  surplus: readonly SandboxView[],
  demand: ReadonlyMap<string, number>,
): SandboxView[] {
  const warm = surplusOf(sandboxes, demand).filter((sandbox) => !surplus.includes(sandbox));
  return warm.sort((a, b) => Number(b.problem !== undefined) - Number(a.problem !== undefined));
}

/** Free sandboxes beyond what is wanted, the oldest first. */
function surplusOf(sandboxes: readonly SandboxView[], wanted: ReadonlyMap<string, number>): SandboxView[] {
  const left = new Map(wanted);
  const spare: SandboxView[] = [];
  for (const sandbox of [...sandboxes].sort((a, b) => b.ordinal - a.ordinal)) {
    if (!free(sandbox)) continue;
    const count = left.get(sandbox.image) ?? 0;
    if (count > 0) left.set(sandbox.image, count - 1);
    else spare.push(sandbox);
  }
  return spare.reverse();
}
