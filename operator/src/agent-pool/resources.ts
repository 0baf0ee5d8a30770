import type { AgentPool, AgentTask, Project, Workspace } from '@millwright/crds';
import type { Cluster } from '../cluster.ts';
import { workspaceOf } from '../dispatch/grant.ts';

export type Resources = NonNullable<Workspace['resources']>;

/** What commands get when nobody says otherwise: small enough to start, bounded enough to do no harm. */
const usual: Resources = {
  requests: { cpu: '50m', memory: '128Mi' },
  limits: { cpu: '2', memory: '2Gi', 'ephemeral-storage': '8Gi' },
};

/** Who may need a sandbox with a certain image: all Projects of a namespace, and those of its open tasks that name a workspace. */
export interface Users {
  projects: readonly Project[];
  tasks: readonly AgentTask[];
}

export const usersIn = (cluster: Pick<Cluster, 'projects' | 'tasks'>, namespace: string): Users => ({
  projects: cluster.projects.store.by('namespace', namespace),
  tasks: cluster.tasks.store.by('openWithWorkspace', namespace),
});

/**
 * Resources of the workspace container of a pool's sandboxes with an image. A sandbox takes whatever task comes for its image, so it has the
 * largest of what the enabled Projects and open tasks with that image name, each component by itself; those that name nothing count as the
 * usual. What the pool names goes before all that.
 */
export function workspaceResources(pool: AgentPool, image: string, { projects, tasks }: Users): Resources {
  if (pool.spec.sandbox?.resources) return pool.spec.sandbox.resources;
  const enabled = new Map(projects.filter(({ spec }) => spec.enabled).map((each) => [each.metadata.name, each]));
  const workspaces = [...enabled.values()].map(({ spec }) => spec.workspace);
  for (const task of tasks) {
    const project = enabled.get(task.spec.projectRef.name);
    if (project) workspaces.push(workspaceOf(task, project));
  }
  const named = workspaces
    .filter((workspace) => (workspace?.image ?? pool.spec.image) === image)
    .map((workspace) => JSON.stringify(workspace?.resources ?? usual));
  // In an order of their own, so that the answer is the same to the letter in whatever order they come.
  const different = [...new Set(named)].sort().map((text): Resources => JSON.parse(text));
  return different.length === 0 ? usual : different.reduce(larger);
}

function larger(a: Resources, b: Resources): Resources {
  const limits: Record<string, string> = {};
  // No limit is more than any.
  for (const [name, limit] of Object.entries(a.limits ?? {}))
    if (b.limits?.[name] !== undefined) limits[name] = more(limit, b.limits[name]);
  const requests: Record<string, string> = {};
  for (const name of new Set([a, b].flatMap((each) => Object.keys({ ...each.limits, ...each.requests })))) {
    // A request that is not named is as large as the limit.
    const [first, second] = [a, b].map((each) => each.requests?.[name] ?? each.limits?.[name]);
    const request = first === undefined ? second : second === undefined ? first : more(first, second);
    if (request !== undefined) requests[name] = request;
  }
  return { requests, limits };
}

const more = (a: string, b: string): string => (amount(a) >= amount(b) ? a : b);

const factors: Record<string, number> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** The number that a quantity of the schema stands for. */
function amount(quantity: string): number {
  const suffix = quantity.replace(/^[0-9.]+/, '');
  return Number.parseFloat(quantity) * (factors[suffix] ?? 1);
}
