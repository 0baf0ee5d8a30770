import { type AgentPool, reasons } from '@millwright/crds';
import { keyOf } from '../runtime/index.ts';
import type { SandboxView } from './plan.ts';
import { isStuck, type Problem } from './problem.ts';

/** Why sandboxes of an image do not come to take a task on a pool, as the last of them showed. All times in milliseconds since the epoch. */
export interface Trouble {
  problem: Problem;
  /** The last one is stuck in its start. Otherwise it ended before it took a task, which may be for what it met outside. */
  stuck: boolean;
  /** Another one is on its way and has shown nothing yet: an image may be large. */
  trying: boolean;
  /** When the first of those that failed in a row was created. */
  since: number;
  /** No other one is started before. */
  retryAt: number;
}

interface Failure {
  /** When it was seen first. */
  at: number;
  problem: Problem;
  stuck: boolean;
}

/** What became of a sandbox's start. */
interface Start {
  ordinal: number;
  createdAt: number;
  failure?: Failure;
}

/** Of an image in trouble. */
interface Known {
  /** The oldest first: the last that succeeded, and those that failed since. */
  starts: readonly Start[];
  trouble: Trouble;
}

/**
 * How long starts may be stuck before the tasks that wait for them fail an attempt. The kubelet tries to pull an image at once and after 10, 20,
 * 40 and 80 seconds more: by then it has tried five times, which a registry that restarts survives, while others wait for the slot.
 */
export const STUCK_START_MS = 3 * 60_000;
/** The same for sandboxes that end: an outage of what they need is longer than that of a registry, and keeps others waiting as well. */
export const ENDING_START_MS = 15 * 60_000;

const BACKOFF_MS = 5_000;
const BACKOFF_MAX_MS = 300_000;

/** Starts remembered per image: as many as raise the pause to its maximum. */
const REMEMBERED = 16;
/** An image that nobody has wanted for so long after it could have been tried again is forgotten. */
const FORGOTTEN_MS = 3_600_000;

/**
 * Remembers per pool and image how the last starts of sandboxes went. A sandbox that cannot start goes when others need its room, and what it
 * has shown must not go with it: the next one would be made at once. After a restart the sandboxes that are there show it again.
 */
export class Troubles {
  readonly #pools = new Map<string, { version: string; images: ReadonlyMap<string, Known> }>();
  readonly #changed: (pool: AgentPool, image: string, trouble: Trouble | undefined) => void;

  /** @param changed called when an image's trouble begins, has another reason, or ends */
  constructor(changed: (pool: AgentPool, image: string, trouble: Trouble | undefined) => void) {
    this.#changed = changed;
  }

  /**
   * Takes in what a pool's sandboxes show. What was made from older settings says nothing any more.
   * @param now milliseconds since the epoch
   * @returns the images that do not start
   */
  look(pool: AgentPool, sandboxes: readonly SandboxView[], now: number): ReadonlyMap<string, Trouble> {
    const key = keyOf(pool);
    const version = `${pool.metadata.uid}/${pool.metadata.generation}`;
    const before = this.#pools.get(key);
    // Somebody has changed it: what failed may succeed now.
    const known = before?.version === version ? before.images : undefined;
    const failing = sandboxes.filter((each) => failureOf(each, now)).map(({ image }) => image);
    const images = new Map<string, Known>();
    for (const image of new Set([...(known?.keys() ?? []), ...failing])) {
      const same = sandboxes.filter((sandbox) => sandbox.image === image);
      const starts = remember(known?.get(image)?.starts ?? [], same, now);
      const trouble = troubleOf(starts, same);
      const isForgotten = same.length === 0 && trouble && now - trouble.retryAt > FORGOTTEN_MS;
      if (trouble && !isForgotten) images.set(image, { starts, trouble });
    }
    this.#pools.set(key, { version, images });
    for (const image of new Set([...(before?.images.keys() ?? []), ...images.keys()])) {
      const trouble = images.get(image)?.trouble;
      if (before?.images.get(image)?.trouble.problem.reason !== trouble?.problem.reason)
        this.#changed(pool, image, trouble);
    }
    return new Map([...images].map(([image, { trouble }]) => [image, trouble]));
  }

  /** @param pool `<namespace>/<name>` */
  of(pool: string, image: string): Trouble | undefined {
    return this.#pools.get(pool)?.images.get(image)?.trouble;
  }

  /** The pool is gone. */
  forget(pool: string): void {
    this.#pools.delete(pool);
  }
}

/** The starts from the last one that succeeded, with what is to be seen now. */
function remember(known: readonly Start[], sandboxes: readonly SandboxView[], now: number): Start[] {
  const starts = new Map(known.map((start) => [start.ordinal, start]));
  // Before the last success nothing matters any more.
  const first = known[0]?.ordinal ?? 0;
  for (const sandbox of sandboxes) {
    const { ordinal, createdAt, state, outdated } = sandbox;
    const failure = outdated ? undefined : failureOf(sandbox, now, starts.get(ordinal)?.failure);
    // On its way it shows nothing, and one that was stuck has not succeeded yet.
    if (ordinal < first || (state === 'starting' && !failure && !outdated)) continue;
    starts.set(ordinal, { ordinal, createdAt, ...(failure ? { failure } : {}) });
  }
  const all = [...starts.values()].sort((a, b) => a.ordinal - b.ordinal);
  return all.slice(
    Math.max(
      0,
      all.length - REMEMBERED,
      all.findLastIndex(({ failure }) => !failure),
    ),
  );
}

/** Why a sandbox has not come to take a task; undefined when it has, or still may. `before` is what was known of it. */
function failureOf({ state, problem, endedAt }: SandboxView, now: number, before?: Failure): Failure | undefined {
  // Its pod says that it has ended before its Job says when.
  if (state === 'failed') return { at: endedAt ?? before?.at ?? now, stuck: false, problem: ended };
  if (state !== 'starting' || !problem || !isStuck(problem)) return undefined;
  // The kubelet says why only when it tries, and in between that it waits.
  const isNews = !before || !problem.message.includes('BackOff');
  return { at: before?.at ?? now, stuck: true, problem: isNews ? problem : before.problem };
}

const ended: Problem = {
  reason: reasons.SandboxLost,
  message: 'sandboxes end before they take a task; look at the logs of their pods',
};

/** The pause doubles with each round of failures; those that were started side by side are one round. */
function troubleOf(starts: readonly Start[], sandboxes: readonly SandboxView[]): Trouble | undefined {
  const failed = starts.slice(starts.findLastIndex(({ failure }) => !failure) + 1);
  let rounds = 0;
  let last = -1;
  for (const { createdAt, failure } of failed) {
    if (createdAt > last) rounds += 1;
    last = Math.max(last, failure?.at ?? 0);
  }
  const newest = failed.at(-1)?.failure;
  if (!newest) return undefined;
  const since = Math.min(...failed.map(({ createdAt }) => createdAt));
  const pause = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(20, rounds - 1));
  const trying = sandboxes.some((each) => each.state === 'starting' && !each.draining && !failureOf(each, last));
  return { problem: newest.problem, stuck: newest.stuck, trying, since, retryAt: last + pause };
}
