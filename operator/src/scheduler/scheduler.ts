import type { Reason } from '@millwright/crds';
import { admit, type Candidate, type Cause, explain, type Holder, type Limits } from './admit.ts';
import { Holders } from './usage.ts';
import { Waiting } from './waiting.ts';

/** Where a task stands with the scheduler. */
export type Place =
  | { state: 'unknown'; reason?: never; message?: never }
  | { state: 'waiting'; reason?: Reason; message?: string }
  | { state: 'admitted'; pool: string };

/**
 * Holds who waits and who is at work, and runs `admit` when either changed. Derived state only: after a restart it is filled anew from
 * the status of the tasks, so nothing is lost with it.
 */
export class Scheduler {
  readonly #waiting = new Waiting();
  readonly #holders = new Holders();
  /** Why it was said to wait. */
  readonly #causes = new Map<string, Cause>();
  /** Those that have asked since the last pass and hear of it, whatever comes of it. */
  readonly #asked = new Set<string>();
  #scheduled = false;
  readonly #limits: Limits;
  readonly #changed: (keys: readonly string[]) => void;
  readonly #defer: (run: () => void) => void;

  /**
   * @param limits current limits of projects, workflows and pools
   * @param changed called with the tasks whose place changed
   * @param defer runs the next pass; passes requested meanwhile collapse into it
   */
  constructor(options: {
    limits: Limits;
    changed: (keys: readonly string[]) => void;
    defer?: (run: () => void) => void;
  }) {
    this.#limits = options.limits;
    this.#changed = options.changed;
    this.#defer = options.defer ?? setImmediate;
  }

  place(key: string): Place {
    const holder = this.#holders.get(key);
    if (holder) return { state: 'admitted', pool: holder.pool };
    const candidate = this.#waiting.get(key);
    if (!candidate) return { state: 'unknown' };
    const cause = this.#causes.get(key);
    return { state: 'waiting', ...(cause === undefined ? {} : explain(cause, candidate, this.#limits)) };
  }

  /** The task is ready; no effect when it waits or holds a slot already. */
  request(candidate: Candidate): void {
    const { key, pools, priority } = candidate;
    if (this.#holders.get(key)) return;
    const known = this.#waiting.get(key);
    if (known && known.pools.join() === pools.join() && known.priority === priority) return;
    this.#waiting.set(candidate);
    this.#asked.add(key);
    this.#pass();
  }

  /** The task is at work already (seen in its status after a restart, or its claim was granted to another pool). */
  occupy(holder: Holder): void {
    this.#forget(holder.key);
    const known = this.#holders.get(holder.key);
    this.#holders.set(holder);
    if (known && known.pool !== holder.pool) this.#pass();
  }

  /** The task holds no slot and wants none: it ended, backs off, was suspended or deleted. */
  release(key: string): void {
    const held = this.#holders.delete(key);
    this.#forget(key);
    if (held) this.#pass();
  }

  /**
   * What another task of that name had goes: it is no more.
   * @param uid of the task that has the name now; undefined: there is none
   * @returns whether there was any
   */
  releaseOthers(key: string, uid: string | undefined): boolean {
    const known = this.#holders.get(key) ?? this.#waiting.get(key);
    if (!known || known.uid === uid) return false;
    this.release(key);
    return true;
  }

  /** Limits or pools changed. */
  refresh(): void {
    this.#pass();
  }

  /** Number of slots in use per pool. */
  inUse(): ReadonlyMap<string, number> {
    return this.#holders.pools;
  }

  /** Tasks that wait, per pool that could run them. */
  waitingPerPool(): ReadonlyMap<string, number> {
    return this.#waiting.pools;
  }

  /** Why it waited goes too: asking again, it is to be told again. */
  #forget(key: string): void {
    this.#waiting.delete(key);
    this.#causes.delete(key);
    this.#asked.delete(key);
  }

  #pass(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#defer(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  #run(): void {
    if (this.#waiting.size === 0) return;
    const { admitted, waits } = admit(this.#waiting.values(), this.#waiting.pools.keys(), this.#holders, this.#limits);
    const changed: string[] = [];
    for (const { key, pool } of admitted) {
      const candidate = this.#waiting.get(key);
      if (!candidate) continue;
      this.#forget(key);
      this.#holders.set({ ...candidate, pool });
      changed.push(key);
    }
    const told = (key: string, cause: Cause) => {
      if (this.#causes.get(key) === cause) return;
      this.#causes.set(key, cause);
      changed.push(key);
    };
    for (const [key, cause] of waits) told(key, cause);
    // What an earlier pass has said of others that this one did not reach may wait: they could not go for another reason either.
    for (const key of this.#asked) if (!waits.has(key)) told(key, 'pools');
    this.#asked.clear();
    if (changed.length > 0) this.#changed(changed);
  }
}
