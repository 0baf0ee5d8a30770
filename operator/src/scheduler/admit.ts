import { type Reason, reasons } from '@millwright/crds';

/** A task that is ready to be dispatched. */
export interface Candidate {
  /** `<namespace>/<name>` of the AgentTask. */
  key: string;
  /** uid of the AgentTask: its name may be given to another. */
  uid: string;
  /** `<namespace>/<name>` of the Project. */
  project: string;
  /** uid of the Workflow; absent for a task that stands alone. */
  workflow?: string;
  priority: number;
  /** Milliseconds since the epoch; the older goes first among equals. */
  createdAt: number;
  /** `<namespace>/<name>` of the pools that could run it, the preferred first. */
  pools: readonly string[];
}

/** A task that holds a slot: admitted, and not ended. */
export type Holder = Pick<Candidate, 'key' | 'uid' | 'project' | 'workflow'> & { pool: string };

/** Most tasks at work; undefined means no limit. Asked for what is waiting only, so a cluster full of history costs nothing. */
export interface Limits {
  project(key: string): number | undefined;
  workflow(uid: string): number | undefined;
  /** Sandboxes, or external agents. */
  pool(key: string): number;
}

export interface Admission {
  /** In order of dispatch, each with the pool whose slot it takes. */
  admitted: readonly { key: string; pool: string }[];
  /** Why each of the others waits. */
  waits: ReadonlyMap<string, { reason: Reason; message: string }>;
}

/** Priority first, then age, then key, so that the order is total and the same after a restart. */
export const byPrecedence = (a: Candidate, b: Candidate): number =>
  b.priority - a.priority || a.createdAt - b.createdAt || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

const count = <K>(map: Map<K, number>, key: K): void => {
  map.set(key, (map.get(key) ?? 0) + 1);
};

/**
 * Decides which tasks are dispatched now, and says of each other why it waits. Pure: the same input gives the same answer in any order
 * of `waiting`. Only admitted tasks are published, so broker queues stay short and priority means something.
 */
export function admit(waiting: readonly Candidate[], holders: Iterable<Holder>, limits: Limits): Admission {
  const projects = new Map<string, number>();
  const workflows = new Map<string, number>();
  const pools = new Map<string, number>();
  const take = (holder: Holder) => {
    count(projects, holder.project);
    if (holder.workflow !== undefined) count(workflows, holder.workflow);
    count(pools, holder.pool);
  };
  for (const holder of holders) take(holder);

  const admitted: { key: string; pool: string }[] = [];
  const waits = new Map<string, { reason: Reason; message: string }>();
  for (const task of [...waiting].sort(byPrecedence)) {
    const projectLimit = limits.project(task.project);
    const workflowLimit = task.workflow === undefined ? undefined : limits.workflow(task.workflow);
    const pool = task.pools.find((name) => (pools.get(name) ?? 0) < limits.pool(name));
    if (projectLimit !== undefined && (projects.get(task.project) ?? 0) >= projectLimit)
      waits.set(task.key, {
        reason: reasons.ParallelismLimit,
        message: `${projectLimit} tasks of the project are at work, its limit: raise spec.limits.maxParallelTasks of the Project or wait`,
      });
    else if (workflowLimit !== undefined && (workflows.get(task.workflow ?? '') ?? 0) >= workflowLimit)
      waits.set(task.key, {
        reason: reasons.ParallelismLimit,
        message: `${workflowLimit} tasks of the Workflow are at work, its spec.parallelism`,
      });
    else if (pool === undefined)
      waits.set(task.key, { reason: reasons.CapacityFull, message: capacityMessage(task.pools, limits) });
    else {
      admitted.push({ key: task.key, pool });
      take({ ...task, pool });
    }
  }
  return { admitted, waits };
}

function capacityMessage(pools: readonly string[], limits: Limits): string {
  const listed = pools.map((name) => `${name.slice(name.indexOf('/') + 1)} (${limits.pool(name)})`).join(', ');
  return `every agent that could run it is busy; pools and their spec.scale.max: ${listed}`;
}
