import type { AgentPool, AgentPoolStatus } from '@millwright/crds';
import type { Note } from '../note.ts';
import type { Preparation } from './preparations.ts';
import { isStuck, NO_POD_MS, type Problem } from './problem.ts';
import { live, statusAction } from './status.ts';
import type { Trouble } from './troubles.ts';

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
  /** Images whose last sandboxes did not come to take a task. */
  troubles: ReadonlyMap<string, Trouble>;
  /** Names of the Projects whose tasks use an image on the pool. */
  projects: (image: string) => readonly string[];
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
  const { pool } = observed;
  if (pool.metadata.deletionTimestamp) return { actions: [] };
  const actions: PoolAction[] = [];
  const wants = wantedFree(observed);
  if (observed.preparation === 'missing') actions.push({ do: 'prepare' });
  let requeueAfterMs: number | undefined;
  let started = 0;
  if (!pool.spec.external) {
    const scaled = scale(observed, wants, now);
    actions.push(...scaled.actions);
    started = scaled.started;
    requeueAfterMs = scaled.requeueAfterMs;
  }
  // A look that fails, since the broker's management is away for a while, keeps no sandbox from starting.
  if (observed.preparation === 'due') actions.push({ do: 'prepare' });
  actions.push(statusAction(observed, started, now));
  return { actions, ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }) };
}

/** What there is to be of an image. */
interface Want {
  /** Free sandboxes. */
  count: number;
  /** Of these, for work that waits. */
  needed: number;
  trouble?: Trouble;
}

function wantedFree({ pool, demand, warmImages, sandboxes, troubles }: PoolObservation): Map<string, Want> {
  const wants = new Map<string, Want>();
  if (!pool.spec.enabled) return wants;
  const want = (image: string, count: number) => {
    const trouble = troubles.get(image);
    wants.set(image, { count, needed: demand.get(image) ?? 0, ...(trouble ? { trouble } : {}) });
  };
  // Work that waits goes before what is kept warm, which may be an image that never starts.
  for (const [image, count] of demand) want(image, count);
  const { warm } = pool.spec.scale;
  for (const image of lastUsedFirst(warmImages, sandboxes)) want(image, Math.max(warm, demand.get(image) ?? 0));
  return wants;
}

/** Where not all can be kept warm, those are that are in use. */
function lastUsedFirst(images: readonly string[], sandboxes: readonly SandboxView[]): string[] {
  const last = new Map<string, number>();
  for (const { image, state, ordinal } of sandboxes)
    if (state === 'spent' || state === 'succeeded') last.set(image, Math.max(ordinal, last.get(image) ?? 0));
  return [...images].sort((a, b) => (last.get(b) ?? 0) - (last.get(a) ?? 0));
}

interface Scaled {
  actions: PoolAction[];
  started: number;
  requeueAfterMs?: number;
}

function scale({ pool, sandboxes, demand }: PoolObservation, wants: ReadonlyMap<string, Want>, now: number): Scaled {
  const actions: PoolAction[] = [];
  let room = pool.spec.scale.max - sandboxes.filter(live).length;
  let ordinal = Math.max(pool.status?.sequence ?? 0, ...sandboxes.map((sandbox) => sandbox.ordinal));
  /** Sandboxes for work that waits, for which there is no room. */
  let needed = 0;
  const started = new Map<string, number>();
  const waits: number[] = [];
  const due = new Set<SandboxView>();
  /** Of images that no work waits for. */
  const stuckWarm: SandboxView[] = [];
  for (const [image, want] of wants) {
    const there = sandboxes.filter((sandbox) => free(sandbox) && sandbox.image === image);
    // What is stuck is no capacity.
    const stuck = there.filter(isStuckStart);
    const short = Math.max(0, want.count - there.length + stuck.length);
    const may = startable(want, short, now);
    const start = Math.max(0, Math.min(may, room));
    for (let i = 0; i < start; i++) actions.push({ do: 'startSandbox', ordinal: ++ordinal, image });
    room -= start;
    started.set(image, start);
    // The kubelet goes on to try: that is worth one sandbox, until the next one tries elsewhere.
    const kept = want.trouble && !want.trouble.trying && short > 0 && may === 0 ? stuck.slice(-1) : [];
    for (const sandbox of stuck) if (!kept.includes(sandbox)) due.add(sandbox);
    if (want.needed === 0) stuckWarm.push(...kept);
    needed += Math.max(0, Math.min(may, want.needed - there.length + stuck.length) - start);
    if (want.trouble && short > 0 && now < want.trouble.retryAt) waits.push(want.trouble.retryAt - now);
  }
  for (const sandbox of sandboxes)
    if (free(sandbox) && isStuckStart(sandbox) && !wants.has(sandbox.image)) due.add(sandbox);
  const counts = new Map([...wants].map(([image, { count }]) => [image, count]));
  const startsOn = sandboxes.filter((sandbox) => !isStuckStart(sandbox));
  const surplus = surplusOf(startsOn, counts);
  const going = sandboxes.filter((s) => s.draining && (s.state === 'idle' || s.state === 'starting')).length + due.size;
  // Work that waits gets room at once from idle sandboxes of other images. Otherwise they go when they have idled for long.
  const spare = [...stuckWarm, ...surplus, ...warmOf(startsOn, surplus, demand)];
  for (const sandbox of spare.slice(0, Math.max(0, needed - going))) due.add(sandbox);
  for (const sandbox of surplus) if (now - sandbox.createdAt >= IDLE_KEPT_MS) due.add(sandbox);
  for (const sandbox of [...sandboxes.filter(undeleted), ...outdated(sandboxes, wants, started)]) due.add(sandbox);
  for (const { job, pod } of due) actions.push({ do: 'drain', job, ...(pod === undefined ? {} : { pod }) });
  for (const { state, pod, createdAt } of sandboxes)
    if (state === 'starting' && pod === undefined && now < createdAt + NO_POD_MS)
      waits.push(createdAt + NO_POD_MS - now);
  const next = surplus.find((sandbox) => !due.has(sandbox));
  if (next) waits.push(Math.max(1000, next.createdAt + IDLE_KEPT_MS - now));
  return {
    actions,
    started: [...started.values()].reduce((sum, count) => sum + count, 0),
    ...(waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : {}),
  };
}

/** How many sandboxes may be started of those that an image is short of: what does not start is tried with one at a time, after a pause. */
function startable({ trouble }: Want, short: number, now: number): number {
  if (!trouble) return short;
  return trouble.trying || now < trouble.retryAt ? 0 : Math.min(1, short);
}

const isStuckStart = ({ state, problem }: SandboxView): boolean =>
  state === 'starting' && problem !== undefined && isStuck(problem);

/**
 * Sandboxes of older settings to be replaced now: of each image a quarter of the idle ones at a time, or one, so that warm capacity stays, and
 * the next only when those before have been replaced. What cannot start as it was made is no capacity.
 */
function outdated(
  sandboxes: readonly SandboxView[],
  wants: ReadonlyMap<string, Want>,
  started: ReadonlyMap<string, number>,
): SandboxView[] {
  const old = sandboxes.filter((sandbox) => free(sandbox) && sandbox.outdated);
  const stuck = old.filter(({ state, problem }) => state === 'starting' && problem);
  const idle = [...new Set(old.map(({ image }) => image))].flatMap((image) => {
    // Those that would replace them do not start.
    if (wants.get(image)?.trouble) return [];
    const same = sandboxes.filter((sandbox) => sandbox.image === image);
    const left = same.filter(({ state, draining }) => state === 'idle' && !draining).length;
    const onTheWay =
      same.filter(({ state, draining }) => state === 'starting' || (state === 'idle' && draining)).length +
      (started.get(image) ?? 0);
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
