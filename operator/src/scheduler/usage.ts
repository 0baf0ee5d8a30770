import type { Holder } from './admit.ts';

/** How many slots are held, by what they count for. Names without any are absent. */
export interface Usage {
  projects: ReadonlyMap<string, number>;
  workflows: ReadonlyMap<string, number>;
  pools: ReadonlyMap<string, number>;
}

/** Counts a name, or forgets it when nothing counts for it any more. */
export function count(counts: Map<string, number>, name: string, by: 1 | -1): void {
  const next = (counts.get(name) ?? 0) + by;
  if (next > 0) counts.set(name, next);
  else counts.delete(name);
}

/** The tasks that hold a slot. */
export class Holders implements Usage {
  readonly projects = new Map<string, number>();
  readonly workflows = new Map<string, number>();
  readonly pools = new Map<string, number>();
  readonly #holders = new Map<string, Holder>();

  get(key: string): Holder | undefined {
    return this.#holders.get(key);
  }

  set(holder: Holder): void {
    this.delete(holder.key);
    this.#holders.set(holder.key, holder);
    this.#count(holder, 1);
  }

  /** Returns whether it held one. */
  delete(key: string): boolean {
    const holder = this.#holders.get(key);
    if (!holder) return false;
    this.#holders.delete(key);
    this.#count(holder, -1);
    return true;
  }

  #count({ project, workflow, pool }: Holder, by: 1 | -1): void {
    count(this.projects, project, by);
    if (workflow !== undefined) count(this.workflows, workflow, by);
    count(this.pools, pool, by);
  }
}
