import type { AgentPool } from '@millwright/crds';
import { deadlineSecondsOf } from './job.ts';
import type { PoolAction, PoolObservation, SandboxView } from './plan.ts';
import { isStuck, NO_POD_MS } from './problem.ts';
import { live } from './status.ts';
import type { Trouble } from './troubles.ts';

/** An idle sandbox that nobody needs is kept for so long, since the next task may come soon. */
export const IDLE_KEPT_MS = 120_000;
const free = (sandbox: SandboxView): boolean =>
  !sandbox.draining && (sandbox.state === 'idle' || sandbox.state === 'starting');

/** Told to take no more work, while the deletion that was to follow has failed: nothing else would end it for a day. */
const undeleted = ({ draining, deleted, state }: SandboxView): boolean =>
  draining && !deleted && (state === 'idle' || state === 'starting');

/** What there is to be of an image. */
export interface Want {
  /** Free sandboxes. */
  count: number;
  /** Of these, for work that waits. */
  needed: number;
  trouble?: Trouble;
}

/** What is to be done, and how many sandboxes start with it. */
interface Scaled {
  actions: PoolAction[];
  started: number;
  requeueAfterMs?: number;
}

/** What is started, and what that leaves open. */
interface Starts {
  actions: PoolAction[];
  /** Sandboxes started, by image. */
  started: Map<string, number>;
  /** Sandboxes for work that waits, for which there is no room. */
  needed: number;
  /** Sandboxes that are stuck and of no use. */
  useless: Set<SandboxView>;
  /** Sandboxes that are stuck and kept, although no work waits for their image. */
  stuckWarm: SandboxView[];
  /** Pauses until other sandboxes may be started, in milliseconds. */
  pauses: number[];
}

/** Sandboxes of an image while it is decided how many more start. */
interface Capacity {
  image: string;
  want: Want;
  /** Free sandboxes that are stuck: no capacity. */
  stuck: SandboxView[];
  /** The other free ones. */
  count: number;
  started: number;
}

function startWanted({ pool, sandboxes }: PoolObservation, wants: ReadonlyMap<string, Want>, now: number): Starts {
  const actions: PoolAction[] = [];
  let room = pool.spec.scale.max - sandboxes.filter(live).length;
  let ordinal = Math.max(pool.status?.sequence ?? 0, ...sandboxes.map((sandbox) => sandbox.ordinal));
  const capacities = [...wants].map(([image, want]): Capacity => {
    const there = sandboxes.filter((sandbox) => free(sandbox) && sandbox.image === image);
    const stuck = there.filter(isStuckStart);
    return { image, want, stuck, count: there.length - stuck.length, started: 0 };
  });
  /** Starts sandboxes up to a number of free ones. Returns how many more may be started, had they room. */
  const fill = (capacity: Capacity, upTo: number): number => {
    const { image, want, count, started } = capacity;
    const may = Math.max(0, startable(want, upTo - count, now) - started);
    const start = Math.min(may, Math.max(0, room));
    for (let i = 0; i < start; i++) actions.push({ do: 'startSandbox', ordinal: ++ordinal, image });
    room -= start;
    capacity.started += start;
    return may - start;
  };
  // What work waits for goes before anything warm. Otherwise that would take the room which is made for the work, without end.
  const needed = capacities.reduce((sum, capacity) => sum + fill(capacity, capacity.want.needed), 0);
  for (const capacity of capacities) fill(capacity, capacity.want.count);

  const useless = new Set(sandboxes.filter((s) => free(s) && isStuckStart(s) && !wants.has(s.image)));
  const stuckWarm: SandboxView[] = [];
  const pauses: number[] = [];
  for (const { want, stuck, count } of capacities) {
    const isShort = count < want.count;
    const mayStart = startable(want, want.count - count, now) > 0;
    // The kubelet goes on to try: that is worth one sandbox, until the next one tries elsewhere.
    const kept = want.trouble && !want.trouble.trying && isShort && !mayStart ? stuck.slice(-1) : [];
    for (const sandbox of stuck) if (!kept.includes(sandbox)) useless.add(sandbox);
    if (want.needed === 0) stuckWarm.push(...kept);
    if (want.trouble && isShort && now < want.trouble.retryAt) pauses.push(want.trouble.retryAt - now);
  }
  const started = new Map(capacities.map((capacity) => [capacity.image, capacity.started]));
  return { actions, started, needed, useless, stuckWarm, pauses };
}

/** Starts what is wanted and ends what nobody needs, never more than `scale.max` at a time. */
export function scale(observed: PoolObservation, wants: ReadonlyMap<string, Want>, now: number): Scaled {
  const { sandboxes, demand } = observed;
  const { actions, started, needed, useless, stuckWarm, pauses } = startWanted(observed, wants, now);
  const counts = new Map([...wants].map(([image, { count }]) => [image, count]));
  const startsOn = sandboxes.filter((sandbox) => !isStuckStart(sandbox));
  const surplus = surplusOf(startsOn, counts);
  const going = sandboxes.filter((s) => s.draining && (s.state === 'idle' || s.state === 'starting'));
  // Work that waits gets room at once from idle sandboxes of other images. Otherwise they go when they have idled for long.
  const spare = [...stuckWarm, ...surplus, ...warmOf(startsOn, surplus, demand)];
  const due = new Set([
    ...useless,
    ...spare.slice(0, Math.max(0, needed - going.length - useless.size)),
    ...surplus.filter((sandbox) => now - sandbox.createdAt >= IDLE_KEPT_MS),
    ...sandboxes.filter(undeleted),
    ...outdated(observed, wants, started, now),
  ]);
  for (const { job, pod } of due) actions.push({ do: 'drain', job, ...(pod === undefined ? {} : { pod }) });
  const next = surplus.find((sandbox) => !due.has(sandbox));
  const waits = [
    ...pauses,
    ...(next ? [Math.max(1000, next.createdAt + IDLE_KEPT_MS - now)] : []),
    ...sandboxes
      .filter(({ state, pod, createdAt }) => state === 'starting' && pod === undefined && now < createdAt + NO_POD_MS)
      .map(({ createdAt }) => createdAt + NO_POD_MS - now),
  ];
  return {
    actions,
    started: [...started.values()].reduce((sum, count) => sum + count, 0),
    ...(waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : {}),
  };
}

/** How many sandboxes may be started of those that an image is short of: what does not start is tried with one at a time, after a pause. */
function startable({ trouble }: Want, short: number, now: number): number {
  if (!trouble) return Math.max(0, short);
  return trouble.trying || now < trouble.retryAt ? 0 : Math.min(1, Math.max(0, short));
}

const isStuckStart = ({ state, problem }: SandboxView): boolean =>
  state === 'starting' && problem !== undefined && isStuck(problem);

/**
 * Whether half of its time is over. One that idles until the end of it would be given a task that it cannot finish; and those that have been
 * kept warm side by side would fail side by side, as if none could start.
 */
const isAged = ({ state, createdAt }: SandboxView, pool: AgentPool, now: number): boolean =>
  state === 'idle' && now - createdAt >= deadlineSecondsOf(pool) * 500;

/**
 * Sandboxes of older settings, or that are old themselves, to be replaced now: of each image a quarter of the idle ones at a time, or one, so that warm capacity stays, and
 * the next only when those before have been replaced. What cannot start as it was made is no capacity.
 */
function outdated(
  { pool, sandboxes }: PoolObservation,
  wants: ReadonlyMap<string, Want>,
  started: ReadonlyMap<string, number>,
  now: number,
): SandboxView[] {
  const old = sandboxes.filter((sandbox) => free(sandbox) && (sandbox.outdated || isAged(sandbox, pool, now)));
  const stuck = old.filter(({ state, problem }) => state === 'starting' && problem);
  const idle = [...new Set(old.map(({ image }) => image))].flatMap((image) => {
    // Those that would replace them do not start.
    if (wants.get(image)?.trouble) return [];
    const same = sandboxes.filter((sandbox) => sandbox.image === image);
    const left = same.filter(({ state, draining }) => state === 'idle' && !draining).length;
    const onTheWay =
      same.filter(({ state, draining }) => state === 'starting' || (state === 'idle' && draining)).length +
      (started.get(image) ?? 0);
    const turns = Math.max(0, Math.max(1, Math.floor(left / 4)) - onTheWay);
    return old.filter((sandbox) => sandbox.image === image && sandbox.state === 'idle').slice(0, turns);
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
