import type { Reason } from '@millwright/crds';
import { admit, type Candidate, type Holder, type Limits } from './admit.ts';

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
  readonly #waiting = new Map<string, Candidate>();
  readonly #holders = new Map<string, Holder>();
  #waits = new Map<string, { reason: Reason; message: string }>();
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
    if (this.#waiting.has(key)) return { state: 'waiting', ...this.#waits.get(key) };
    return { state: 'unknown' };
  }

  /** The task is ready; no effect when it waits or holds a slot already. */
  request(candidate: Candidate): void {
    if (this.#holders.has(candidate.key)) return;
    const known = this.#waiting.get(candidate.key);
    this.#waiting.set(candidate.key, candidate);
    if (!known || known.pools.join() !== candidate.pools.join() || known.priority !== candidate.priority) this.#pass();
  }

  /** The task is at work already (seen in its status after a restart, or its claim was granted to another pool). */
  occupy(holder: Holder): void {
    this.#forget(holder.key);
    const known = this.#holders.get(holder.key);
    this.#holders.set(holder.key, holder);
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
  inUse(): Map<string, number> {
    const used = new Map<string, number>();
    for (const { pool } of this.#holders.values()) used.set(pool, (used.get(pool) ?? 0) + 1);
    return used;
  }

  /** Tasks that wait, per pool that could run them. */
  waitingPerPool(): Map<string, number> {
    const waiting = new Map<string, number>();
    for (const { pools } of this.#waiting.values())
      for (const pool of pools) waiting.set(pool, (waiting.get(pool) ?? 0) + 1);
    return waiting;
  }

  /** Why it waited goes too: asking again, it is to be told again. */
  #forget(key: string): void {
    this.#waiting.delete(key);
    this.#waits.delete(key);
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
    const { admitted, waits } = admit([...this.#waiting.values()], this.#holders.values(), this.#limits);
    const changed: string[] = [];
    for (const { key, pool } of admitted) {
      const candidate = this.#waiting.get(key);
      if (!candidate) continue;
      this.#waiting.delete(key);
      this.#holders.set(key, { ...candidate, pool });
      changed.push(key);
    }
    for (const [key, wait] of waits) if (this.#waits.get(key)?.reason !== wait.reason) changed.push(key);
    this.#waits = new Map(waits);
    if (changed.length > 0) this.#changed(changed);
  }
}
