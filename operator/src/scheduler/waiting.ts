import { byPrecedence, type Candidate } from './admit.ts';
import { count } from './usage.ts';

/** The tasks that wait, kept in order of precedence, so that nobody has to sort them. */
export class Waiting {
  /** How many wait for each pool; one that several could run counts for each. */
  readonly pools = new Map<string, number>();
  readonly #byKey = new Map<string, Candidate>();
  readonly #order: Candidate[] = [];

  get size(): number {
    return this.#order.length;
  }

  get(key: string): Candidate | undefined {
    return this.#byKey.get(key);
  }

  /** In order of precedence; not to be changed meanwhile. */
  values(): Iterable<Candidate> {
    return this.#order;
  }

  /** Adds it, or replaces the one of the same key. */
  set(candidate: Candidate): void {
    this.delete(candidate.key);
    this.#byKey.set(candidate.key, candidate);
    this.#order.splice(this.#position(candidate), 0, candidate);
    for (const pool of candidate.pools) count(this.pools, pool, 1);
  }

  delete(key: string): void {
    const known = this.#byKey.get(key);
    if (!known) return;
    this.#byKey.delete(key);
    this.#order.splice(this.#position(known), 1);
    for (const pool of known.pools) count(this.pools, pool, -1);
  }

  /** Where it is, or would be. */
  #position(candidate: Candidate): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (byPrecedence(this.#order[middle] as Candidate, candidate) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
