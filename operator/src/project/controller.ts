import type { Leadership } from '../leadership.ts';
import { type Controller, startController } from '../runtime/index.ts';
import { planProject } from './plan.ts';

/** Keeps the status of Projects. */
export function startProjects(leadership: Leadership): Controller {
  const { cluster, now, logger, metrics, writeStatus } = leadership;
  return startController({
    name: 'project',
    workers: 1,
    logger,
    metrics,
    reconcile: async (key) => {
      const project = cluster.projects.store.get(key);
      if (!project) return;
      const status = planProject({ project, workflows: cluster.workflows.store.by('project', key) }, now());
      const outcome = await writeStatus.project(project, status, { lazy: project.status !== undefined });
      return outcome.state === 'delayed' ? { requeueAfterMs: outcome.delayMs } : undefined;
    },
  });
}
