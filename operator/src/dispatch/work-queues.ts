import { WORK_QUEUE_EXPIRES_MS, type WorkKey, workQueueName } from '@millwright/broker';
import { type AgentPool, MAX_QUEUES, type WorkKind } from '@millwright/crds';
import { RENEW_WORK_MS } from '../agent-task/publish-work.ts';

/**
 * How long a queue that nothing is published to is remembered: less than the broker keeps it, so that no agent is sent to one that is gone, and
 * more than between two publishings of work that waits.
 */
const REMEMBERED_MS = (RENEW_WORK_MS + WORK_QUEUE_EXPIRES_MS) / 2;

interface Use {
  key: WorkKey;
  /** Milliseconds since the epoch. */
  at: number;
}

interface Outstanding {
  namespace: string;
  queue: string;
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
  /** By namespace and queue, the longest unused first. */
  readonly #uses = new Map<string, Map<string, Use>>();
  readonly #outstanding = new Map<string, Outstanding>();
  readonly #onDemand: (namespace: string, pool: string) => void;
  readonly #now: () => number;

  /**
   * @param onDemand called when the unclaimed work of a pool changed
   * @param now milliseconds since the epoch
   */
  constructor(onDemand: (namespace: string, pool: string) => void, now: () => number) {
    this.#onDemand = onDemand;
    this.#now = now;
  }

  /** Notes that a queue is in use. Returns its name, and whether it is new to this process, or forgotten, and agents have to be told. */
  use(namespace: string, key: WorkKey): { queue: string; isNew: boolean } {
    const queue = workQueueName(namespace, key);
    const uses = this.#usesIn(namespace);
    const isNew = !uses.delete(queue);
    uses.set(queue, { key, at: this.#now() });
    this.#uses.set(namespace, uses);
    this.#bound(uses);
    return { queue, isNew };
  }

  /** Undoes `use`. */
  forget(namespace: string, queue: string): void {
    this.#uses.get(namespace)?.delete(queue);
  }

  /**
   * Queues that an agent of the pool consumes when its sandbox was started with `image`; with no image: those of all images. As many as fit
   * a message: those where work waits first. An agent does one task and asks anew, so the others have their turn.
   */
  queuesFor(pool: AgentPool, image?: string): string[] {
    if (!pool.spec.enabled) return [];
    const offered = new Set(pool.spec.capabilities);
    const queues = [...this.#usesIn(pool.metadata.namespace)]
      .filter(
        ([, { key }]) =>
          key.engine === pool.spec.engine &&
          (image === undefined || key.image === image) &&
          key.capabilities.every((capability) => offered.has(capability)),
      )
      .map(([queue]) => queue);
    if (queues.length <= MAX_QUEUES) return queues;
    const waiting = this.#waiting();
    return [...queues.filter((queue) => waiting.has(queue)), ...queues.filter((queue) => !waiting.has(queue))].slice(
      0,
      MAX_QUEUES,
    );
  }

  /** Workspace images that queues of the namespace ask for. */
  images(namespace: string): Set<string> {
    return new Set([...this.#usesIn(namespace).values()].map(({ key }) => key.image));
  }

  /** Without those that nothing has been published to for long. */
  #usesIn(namespace: string): Map<string, Use> {
    const uses = this.#uses.get(namespace) ?? new Map<string, Use>();
    for (const [queue, { at }] of uses) {
      if (this.#now() - at < REMEMBERED_MS) break;
      uses.delete(queue);
    }
    if (uses.size === 0) this.#uses.delete(namespace);
    return uses;
  }

  /** Forgets the longest unused ones without waiting work beyond what agents can be told of: they are announced when they are used again. */
  #bound(uses: Map<string, Use>): void {
    if (uses.size <= MAX_QUEUES) return;
    const waiting = this.#waiting();
    const last = [...uses.keys()].at(-1);
    for (const queue of uses.keys())
      if (uses.size > MAX_QUEUES && queue !== last && !waiting.has(queue)) uses.delete(queue);
  }

  #waiting(): Set<string> {
    return new Set([...this.#outstanding.values()].map(({ queue }) => queue));
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

  /** Keys of tasks whose work waits, by queue. */
  waitingPerQueue(): Map<string, string[]> {
    const queues = new Map<string, string[]>();
    for (const [task, { queue }] of this.#outstanding) queues.set(queue, [...(queues.get(queue) ?? []), task]);
    return queues;
  }

  /** Keys of tasks whose work waits for a sandbox of the pool with the image. */
  waitingFor({ namespace, name }: { namespace: string; name: string }, image: string): string[] {
    return [...this.#outstanding].flatMap(([task, work]) =>
      work.namespace === namespace && work.pool === name && work.image === image ? [task] : [],
    );
  }

  /** Unclaimed work of a pool by workspace image. */
  demand(namespace: string, pool: string): Map<string, number> {
    const demand = new Map<string, number>();
    for (const work of this.#outstanding.values())
      if (work.namespace === namespace && work.pool === pool) demand.set(work.image, (demand.get(work.image) ?? 0) + 1);
    return demand;
  }
}
