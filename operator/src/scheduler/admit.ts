import { type Reason, reasons } from '@millwright/crds';
import type { Usage } from './usage.ts';

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

/** Whose limit keeps a task waiting. */
export type Cause = 'project' | 'workflow' | 'pools';

export interface Admission {
  /** In order of dispatch, each with the pool whose slot it takes. */
  admitted: readonly { key: string; pool: string }[];
  /** Why others wait, as far as they were looked at: all behind them wait for a pool, since none that is wanted has a slot left. */
  waits: ReadonlyMap<string, Cause>;
}

/** Priority first, then age, then key, so that the order is total and the same after a restart. */
export const byPrecedence = (a: Candidate, b: Candidate): number =>
  b.priority - a.priority || a.createdAt - b.createdAt || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/**
 * Decides which tasks are dispatched now, and why others wait. Pure. Only admitted tasks are published, so broker queues stay short and
 * priority means something. It looks no further than there are slots: with all pools full it costs nothing, however many wait.
 * @param waiting in order of precedence
 * @param wanted the pools of all that wait
 */
export function admit(
  waiting: Iterable<Candidate>,
  wanted: Iterable<string>,
  { projects, workflows, pools }: Usage,
  limits: Limits,
): Admission {
  const free = {
    project: room(projects, (key) => limits.project(key)),
    workflow: room(workflows, (uid) => limits.workflow(uid)),
    pool: room(pools, (name) => limits.pool(name)),
  };
  const open = new Set([...wanted].filter((name) => free.pool.has(name)));
  const admitted: { key: string; pool: string }[] = [];
  const waits = new Map<string, Cause>();
  for (const { key, project, workflow, pools: able } of waiting) {
    if (open.size === 0) break;
    const pool = able.find((name) => open.has(name));
    if (!free.project.has(project)) waits.set(key, 'project');
    else if (workflow !== undefined && !free.workflow.has(workflow)) waits.set(key, 'workflow');
    else if (pool === undefined) waits.set(key, 'pools');
    else {
      admitted.push({ key, pool });
      free.project.take(project);
      if (workflow !== undefined) free.workflow.take(workflow);
      free.pool.take(pool);
      if (!free.pool.has(pool)) open.delete(pool);
    }
  }
  return { admitted, waits };
}

/** What is left of each limit, which is asked for once. */
function room(used: ReadonlyMap<string, number>, limitOf: (name: string) => number | undefined) {
  const left = new Map<string, number>();
  const of = (name: string): number => {
    const known = left.get(name) ?? (limitOf(name) ?? Number.POSITIVE_INFINITY) - (used.get(name) ?? 0);
    left.set(name, known);
    return known;
  };
  return {
    has: (name: string): boolean => of(name) > 0,
    take: (name: string): void => void left.set(name, of(name) - 1),
  };
}

/** Says to people why a task waits. */
export function explain(cause: Cause, { project, workflow, pools }: Candidate, limits: Limits) {
  const because = (reason: Reason, message: string) => ({ reason, message });
  if (cause === 'project')
    return because(
      reasons.ParallelismLimit,
      `${limits.project(project)} tasks of the project are at work, its limit: raise spec.limits.maxParallelTasks of the Project or wait`,
    );
  if (cause === 'workflow')
    return because(
      reasons.ParallelismLimit,
      `${limits.workflow(workflow ?? '')} tasks of the Workflow are at work, its spec.parallelism`,
    );
  const listed = pools.map((name) => `${name.slice(name.indexOf('/') + 1)} (${limits.pool(name)})`).join(', ');
  return because(
    reasons.CapacityFull,
    `every agent that could run it is busy; pools and their spec.scale.max: ${listed}`,
  );
}
