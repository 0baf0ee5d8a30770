import { targets } from '@millwright/broker';
import { probeMessage, probeReply } from '@millwright/crds';
import type { Leadership } from '../leadership.ts';
import { type Controller, soonest, startController } from '../runtime/index.ts';
import { planProject } from './plan.ts';
import { RepositoryProbes } from './probes.ts';

/** A git host asks the forge for up to 15 s. */
const PROBE_TIMEOUT_MS = 25_000;

/** Keeps the status of Projects. */
export function startProjects(leadership: Leadership): Controller {
  const { broker, cluster, now, logger, metrics, writeStatus } = leadership;
  const probes = new RepositoryProbes({
    ask: ({ metadata: { namespace, name } }) =>
      broker.request(targets.probes, probeMessage, { type: 'probe', namespace, project: name }, probeReply, {
        timeoutMs: PROBE_TIMEOUT_MS,
      }),
    changed: (key) => leadership.enqueue('project', key),
    now,
    random: Math.random,
  });
  return startController({
    name: 'project',
    workers: 1,
    logger,
    metrics,
    reconcile: async (key) => {
      const project = cluster.projects.store.get(key);
      if (!project) return probes.forget(key);
      const { verdict: repository, againMs } = probes.look(project);
      const workflows = cluster.workflows.store.by('project', key);
      const status = planProject({ project, workflows, repository }, now());
      const outcome = await writeStatus.project(project, status, { lazy: project.status !== undefined });
      return soonest(outcome.state === 'delayed' ? outcome.delayMs : undefined, againMs);
    },
  });
}
