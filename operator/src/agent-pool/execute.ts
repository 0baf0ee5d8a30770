import { type AgentPool, conditionTypes, reasons } from '@millwright/crds';
import { type Cluster, resources } from '../cluster.ts';
import type { Note } from '../note.ts';
import { reporting } from '../refusal.ts';
import { isAlreadyExists, isNotFound, type KubeClient } from '../runtime/index.ts';
import type { StatusWriter } from '../status-writer.ts';
import { type SandboxSettings, sandboxJob, sandboxName } from './job.ts';
import type { PoolAction } from './plan.ts';
import { usersIn, workspaceResources } from './resources.ts';
import { hinderedStatus } from './status.ts';

export interface ExecutePoolOptions {
  kube: KubeClient;
  cluster: Cluster;
  settings: SandboxSettings;
  writeStatus: StatusWriter<AgentPool>;
  tell: (pool: AgentPool, note: Note) => void;
  prepare: (pool: AgentPool) => Promise<void>;
  draining: Set<string>;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** Runs the actions of a plan in order. Returns a wish to look again, in milliseconds. */
export async function executePool(
  pool: AgentPool,
  actions: readonly PoolAction[],
  options: ExecutePoolOptions,
): Promise<number | undefined> {
  const { namespace, name } = pool.metadata;
  let againMs: number | undefined;
  for (const action of actions) {
    switch (action.do) {
      case 'prepare':
        await reporting(
          () => options.prepare(pool),
          hindered(reasons.NotPrepared, 'broker user, Secret and NetworkPolicy of its sandboxes cannot be made'),
        );
        break;
      case 'startSandbox':
        await reporting(
          () => startSandbox(pool, action.ordinal, action.image, options),
          hindered(reasons.SandboxRefused, 'a sandbox cannot be created'),
        );
        break;
      case 'drain':
        // From here on no claim of the pod is granted, so ending it loses no work.
        if (action.pod !== undefined) options.draining.add(action.pod);
        await reporting(
          () => endSandbox(action.job, options),
          hindered(reasons.SandboxRefused, 'a sandbox cannot be deleted'),
        );
        break;
      case 'status': {
        const outcome = await options.writeStatus(pool, action.status, action);
        if (outcome.state === 'delayed') againMs = outcome.delayMs;
        break;
      }
    }
  }
  return againMs;

  /** Writes the reason into the status. */
  function hindered(reason: string, what: string): (words: string) => Promise<unknown> {
    return (words) => {
      const message = `${what}: ${words}`;
      const known = pool.status?.conditions?.some((c) => c.type === conditionTypes.Ready && c.reason === reason);
      const note = { type: 'Warning', reason, message } as const;
      return options.writeStatus(pool, hinderedStatus(pool, { reason, message }, options.now()), known ? {} : { note });
    };
  }

  async function endSandbox(job: string, { kube }: ExecutePoolOptions): Promise<void> {
    await kube
      .delete(resources.jobs, { namespace, name: job }, { propagationPolicy: 'Background' })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }

  async function startSandbox(
    owner: AgentPool,
    ordinal: number,
    image: string,
    { kube, cluster, settings, tell }: ExecutePoolOptions,
  ) {
    const kind = { pool: owner, image, resources: workspaceResources(owner, image, usersIn(cluster, namespace)) };
    try {
      const job = await kube.create(resources.jobs, sandboxJob(kind, ordinal, settings));
      cluster.jobs.store.applyWrite(job);
      const message = `Job ${job.metadata.name} with image ${image}`;
      tell(owner, { type: 'Normal', reason: 'SandboxCreated', message });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      // An earlier pass made it and its answer was lost, or the cache is behind: it counts from now on.
      cluster.jobs.store.applyWrite(await kube.get(resources.jobs, { namespace, name: sandboxName(name, ordinal) }));
    }
  }
}
