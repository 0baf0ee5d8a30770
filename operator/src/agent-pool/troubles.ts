import { type AgentPool, reasons } from '@millwright/crds';
import { keyOf } from '../runtime/index.ts';
import type { SandboxView } from './plan.ts';
import { isStuck, type Problem } from './problem.ts';

/** Why sandboxes of an image do not come to take a task on a pool, as the last of them showed. All times in milliseconds since the epoch. */
export interface Trouble {
  problem: Problem;
  /** The last one is stuck in its start. Otherwise it ended before it took a task, which may be for what it met outside. */
  stuck: boolean;
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

/**
 * How long starts may be stuck before the tasks that wait for them fail an attempt. The kubelet tries to pull an image at once and after 10, 20,
 * 40 and 80 seconds more: by then it has tried five times, which a registry that restarts survives, while others wait for the slot.
 */
export const STUCK_START_MS = 3 * 60_000;

const BACKOFF_MS = 5_000;
const BACKOFF_MAX_MS = 300_000;

/** Starts remembered per image: as many as raise the pause to its maximum. */
const REMEMBERED = 16;

/**
 * Remembers per pool and image how the last starts of sandboxes went. A sandbox that cannot start goes when others need its room, and what it
 * has shown must not go with it: the next one would be made at once. After a restart the sandboxes that are there show it again.
 */
export class Troubles {
  /** By pool and image, the oldest start first. */
  readonly #pools = new Map<string, Map<string, Start[]>>();
  readonly #versions = new Map<string, string>();
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
    const before = this.#troublesOf(key);
    const version = `${pool.metadata.uid}/${pool.metadata.generation}`;
    // Somebody has changed it: what failed may succeed now.
    if (this.#versions.get(key) !== version) this.#pools.delete(key);
    this.#versions.set(key, version);
    const known = this.#pools.get(key) ?? new Map<string, Start[]>();
    const failing = new Set(sandboxes.filter((each) => failureOf(each, now)).map(({ image }) => image));
    const images = new Map<string, Start[]>();
    for (const image of new Set([...known.keys(), ...failing])) {
      const starts = remember(
        known.get(image) ?? [],
        sandboxes.filter((sandbox) => sandbox.image === image),
        now,
      );
      if (starts.some(({ failure }) => failure)) images.set(image, starts);
    }
    this.#pools.set(key, images);
    const after = this.#troublesOf(key);
    for (const image of new Set([...before.keys(), ...after.keys()]))
      if (before.get(image)?.problem.reason !== after.get(image)?.problem.reason)
        this.#changed(pool, image, after.get(image));
    return after;
  }

  /** @param pool `<namespace>/<name>` */
  of(pool: string, image: string): Trouble | undefined {
    const starts = this.#pools.get(pool)?.get(image);
    return starts && troubleOf(starts);
  }

  /** The pool is gone. */
  forget(pool: string): void {
    this.#pools.delete(pool);
    this.#versions.delete(pool);
  }

  #troublesOf(pool: string): Map<string, Trouble> {
    const found = [...(this.#pools.get(pool) ?? [])].flatMap(([image, starts]): [string, Trouble][] => {
      const trouble = troubleOf(starts);
      return trouble ? [[image, trouble]] : [];
    });
    return new Map(found);
  }
}

/** The starts from the last one that succeeded, with what is to be seen now. */
function remember(known: readonly Start[], sandboxes: readonly SandboxView[], now: number): Start[] {
  const starts = new Map(known.map((start) => [start.ordinal, start]));
  // Before the last success nothing matters any more.
  const first = known[0]?.ordinal ?? 0;
  for (const sandbox of sandboxes) {
    const { ordinal, createdAt, state, outdated } = sandbox;
    const before = starts.get(ordinal)?.failure;
    const failure = outdated ? undefined : failureOf(sandbox, now);
    // On its way it shows nothing, and one that was stuck has not succeeded yet.
    if (ordinal < first || (state === 'starting' && !failure && !outdated)) continue;
    starts.set(ordinal, {
      ordinal,
      createdAt,
      ...(failure ? { failure: before ? later(before, failure) : failure } : {}),
    });
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

/** The kubelet says why only when it tries, and in between that it waits. */
const later = (before: Failure, now: Failure): Failure =>
  now.problem.message.includes('BackOff') ? before : { ...now, at: before.at };

function failureOf({ state, problem, endedAt, createdAt }: SandboxView, now: number): Failure | undefined {
  if (state === 'failed')
    return {
      at: endedAt ?? createdAt,
      stuck: false,
      problem: {
        reason: reasons.SandboxLost,
        message: 'sandboxes end before they take a task; look at the logs of their pods',
      },
    };
  return state === 'starting' && problem && isStuck(problem) ? { at: now, stuck: true, problem } : undefined;
}

/** The pause doubles with each round of failures; those that were started side by side are one round. */
function troubleOf(starts: readonly Start[]): Trouble | undefined {
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
  return { problem: newest.problem, stuck: newest.stuck, since, retryAt: last + pause };
}
