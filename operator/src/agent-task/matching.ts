import type { WorkKey } from '@millwright/broker';
import type { AgentPool, AgentTask, Project } from '@millwright/crds';

/** Which pools could run a task, and if none, why. */
export type Match = { ok: true; pools: readonly PoolMatch[] } | { ok: false; message: string };

export interface PoolMatch {
  pool: AgentPool;
  key: WorkKey;
}

type Demand = Pick<AgentTask['spec'], 'capabilities' | 'role' | 'command' | 'workspace'>;

/** The engine a task needs: commands are run, prompts go to a model. */
export const engineOf = (spec: Pick<AgentTask['spec'], 'command'>): 'runner' | 'llm' =>
  spec.command === undefined ? 'llm' : 'runner';

/**
 * Finds the pools whose offer covers what the task requires: engine, every capability, the role when the pool names roles, and a
 * workspace image. Most specific pools first, so that generalists stay free for what only they can do.
 */
export function matchPools(task: Demand, project: Project, pools: readonly AgentPool[]): Match {
  const required = [...new Set(task.capabilities ?? [])].sort();
  const engine = engineOf(task);
  // Agents have no such engine yet: a pool that was made before the API server refused it would take the task and never run it.
  if (engine === 'llm')
    return {
      ok: false,
      message:
        'the task has a prompt, which needs engine llm, and no AgentPool offers engine llm, which does not exist yet: create the task anew with command in place of prompt',
    };
  const wanted = task.workspace?.image ?? project.spec.workspace?.image;
  const matches: PoolMatch[] = [];
  let best: { name: string; lacks: string[] } | undefined;
  for (const pool of pools) {
    const lacks = shortcomings(pool, required, engine, task.role, wanted);
    const image = wanted ?? pool.spec.image;
    if (lacks.length === 0 && image !== undefined)
      matches.push({ pool, key: { engine, image, capabilities: required } });
    else if (best === undefined || lacks.length < best.lacks.length) best = { name: pool.metadata.name, lacks };
  }
  if (matches.length > 0)
    return {
      ok: true,
      pools: matches.sort(
        (a, b) =>
          a.pool.spec.capabilities.length - b.pool.spec.capabilities.length ||
          (a.pool.metadata.name < b.pool.metadata.name ? -1 : 1),
      ),
    };
  const needs = `needs engine ${engine}${required.length > 0 ? ` and capabilities ${required.join(', ')}` : ''}`;
  return {
    ok: false,
    message: best
      ? `the task ${needs}; the nearest AgentPool, "${best.name}", lacks ${best.lacks.join(', ')}: add it there or create a pool`
      : `the task ${needs}, and the namespace has no AgentPool: create one`,
  };
}

function shortcomings(
  pool: AgentPool,
  required: readonly string[],
  engine: string,
  role: string | undefined,
  image: string | undefined,
): string[] {
  const offered = new Set(pool.spec.capabilities);
  const lacks = required
    .filter((capability) => !offered.has(capability))
    .map((capability) => `capability ${capability}`);
  if (pool.spec.engine !== engine) lacks.push(`engine ${engine}`);
  if (!pool.spec.enabled) lacks.push('enabled: true');
  if (role !== undefined && pool.spec.roles !== undefined && !pool.spec.roles.includes(role))
    lacks.push(`role ${role}`);
  if (image === undefined && pool.spec.image === undefined)
    lacks.push('an image (neither spec.workspace.image of the Project nor spec.image of the pool is set)');
  return lacks;
}
