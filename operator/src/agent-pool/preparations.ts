import type { AgentPool } from '@millwright/crds';
import { keyOf } from '../runtime/index.ts';

/**
 * How often what a pool's sandboxes need is looked at although nothing says that it has changed: nobody watches users of the broker, nor
 * Secrets, which would take the right to read them. A look costs five calls to the broker and two to the API server.
 */
export const LOOK_AGAIN_MS = 5 * 60_000;

/** `missing`: sandboxes must not start before it is made. `due`: it was there, and is to be looked at again. */
export type Preparation = 'missing' | 'due' | 'done';

/** When this leader made sure of broker user, Secret and NetworkPolicy of each pool. */
export class Preparations {
  readonly #made = new Map<string, { version: string; at: number }>();

  /** @param now milliseconds since the epoch */
  state(pool: AgentPool, now: number): Preparation {
    const made = this.#made.get(keyOf(pool));
    if (made?.version !== versionOf(pool)) return 'missing';
    return now - made.at >= LOOK_AGAIN_MS ? 'due' : 'done';
  }

  /** Runs `prepare`, and notes that it went well. Doubts that come meanwhile stay. */
  async make(pool: AgentPool, now: number, prepare: () => Promise<void>): Promise<void> {
    const key = keyOf(pool);
    const version = versionOf(pool);
    const before = this.#made.get(key);
    this.#made.set(key, { version, at: now });
    try {
      await prepare();
    } catch (error) {
      if (before?.version === version) this.#made.set(key, before);
      else this.#made.delete(key);
      throw error;
    }
  }

  /** Somebody has changed or deleted it, or the pool is gone. */
  forget(key: string): void {
    this.#made.delete(key);
  }

  forgetAll(): void {
    this.#made.clear();
  }
}

/** A pool that was deleted and created under the same name is another one. */
const versionOf = ({ metadata }: AgentPool): string => `${metadata.uid}/${metadata.generation}`;
