import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Does work of a key unless other work of that key is under way: then it waits for its turn, but not for long. Resolves with whether the work
 * was done.
 */
export type TakeTurns = (key: string, work: () => Promise<void>) => Promise<boolean>;

/**
 * One at a time for each key.
 * @param patienceMs how long one waits for its turn, and how long the other may have been at work by then; a key whose work takes longer is
 *   not worth waiting for. Milliseconds.
 */
export function takeTurns(patienceMs: number): TakeTurns {
  const underWay = new Map<string, { since: number; end: Promise<void> }>();
  return async (key, work) => {
    const arrivedAt = performance.now();
    for (let other = underWay.get(key); other; other = underWay.get(key)) {
      const left = Math.min(arrivedAt, other.since) + patienceMs - performance.now();
      if (left <= 0) return false;
      const patience = new AbortController();
      await Promise.race([other.end, sleep(left, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
    }
    const turn = Promise.withResolvers<void>();
    underWay.set(key, { since: performance.now(), end: turn.promise });
    try {
      await work();
      return true;
    } finally {
      underWay.delete(key);
      turn.resolve();
    }
  };
}
