import { type WorkKey, workQueueName } from '@millwright/broker';
import type { AgentPool, WorkKind } from '@millwright/crds';

interface Outstanding {
  namespace: string;
  /** Name of the pool whose slot the task holds. */
  pool: string;
  image: string;
  capabilities: readonly string[];
  kind: WorkKind;
}

/**
 * Knows which work queues are in use and which published work nobody has claimed yet: what decides which queues an agent consumes and how
 * many sandboxes are needed. In memory only; after a restart it fills up again as tasks are published anew.
 */
export class WorkQueues {
  readonly #keys = new Map<string, Map<string, WorkKey>>();
  readonly #outstanding = new Map<string, Outstanding>();
  readonly #onDemand: (namespace: string, pool: string) => void;

  /** @param onDemand called when the unclaimed work of a pool changed */
  constructor(onDemand: (namespace: string, pool: string) => void) {
    this.#onDemand = onDemand;
  }

  /** Notes that a queue is in use. Returns its name, and whether it is new to this process. */
  use(namespace: string, key: WorkKey): { queue: string; isNew: boolean } {
    const queue = workQueueName(namespace, key);
    let keys = this.#keys.get(namespace);
    if (!keys) {
      keys = new Map();
      this.#keys.set(namespace, keys);
    }
    const isNew = !keys.has(queue);
    if (isNew) keys.set(queue, key);
    return { queue, isNew };
  }

  /** Undoes `use`. */
  forget(namespace: string, queue: string): void {
    this.#keys.get(namespace)?.delete(queue);
  }

  /** Queues that an agent of the pool consumes when its sandbox was started with `image`; with no image: those of all images. */
  queuesFor(pool: AgentPool, image?: string): string[] {
    if (!pool.spec.enabled) return [];
    const offered = new Set(pool.spec.capabilities);
    return [...(this.#keys.get(pool.metadata.namespace) ?? [])]
      .filter(
        ([, key]) =>
          key.engine === pool.spec.engine &&
          (image === undefined || key.image === image) &&
          key.capabilities.every((capability) => offered.has(capability)),
      )
      .map(([queue]) => queue);
  }

  /** Workspace images that queues of the namespace ask for. */
  images(namespace: string): Set<string> {
    return new Set([...(this.#keys.get(namespace)?.values() ?? [])].map((key) => key.image));
  }

  published(task: string, work: Outstanding): void {
    this.#outstanding.set(task, work);
    this.#onDemand(work.namespace, work.pool);
  }

  /** The task was claimed, or is not to be run any more. */
  settled(task: string): void {
    const work = this.#outstanding.get(task);
    if (!work) return;
    this.#outstanding.delete(task);
    this.#onDemand(work.namespace, work.pool);
  }

  /** How much work waits for its claim, by namespace and required capabilities, which come as one string with commas between. */
  unclaimed(): { namespace: string; capabilities: string; count: number }[] {
    const found = new Map<string, { namespace: string; capabilities: string; count: number }>();
    for (const work of this.#outstanding.values()) {
      const { namespace } = work;
      const capabilities = work.capabilities.join(',');
      const key = `${namespace} ${capabilities}`;
      const entry = found.get(key);
      if (entry) entry.count += 1;
      else found.set(key, { namespace, capabilities, count: 1 });
    }
    return [...found.values()];
  }

  /** Unclaimed work of a pool by workspace image. */
  demand(namespace: string, pool: string): Map<string, number> {
    const demand = new Map<string, number>();
    for (const work of this.#outstanding.values())
      if (work.namespace === namespace && work.pool === pool) demand.set(work.image, (demand.get(work.image) ?? 0) + 1);
    return demand;
  }
}
