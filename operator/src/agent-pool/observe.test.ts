import { silentLogger } from '@millwright/otel';
import { expect, test } from 'vitest';
import { type Job, watchCluster } from '../cluster.ts';
import { WorkQueues } from '../dispatch/work-queues.ts';
import { type KubeClient, noMetrics } from '../runtime/index.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { aPool, aProject, at, NOW, SANDBOX_SETTINGS } from '../testing/objects.ts';
import { sandboxJob } from './job.ts';
import { observePool } from './observe.ts';
import { usersIn, workspaceResources } from './resources.ts';
import { Troubles } from './troubles.ts';

/** Whether a sandbox is seen as made from older settings after something has changed. */
function isOutdated(change: { agentImage?: string; limits?: Record<string, string>; annotation?: boolean }): boolean {
  const cluster = watchCluster({ kube: {} as KubeClient, logger: silentLogger, metrics: noMetrics });
  const pool = aPool('go');
  cluster.pools.store.applyWrite(pool);
  cluster.projects.store.applyWrite(aProject());
  const kind = {
    pool,
    image: 'toolchain:1',
    resources: workspaceResources(pool, 'toolchain:1', usersIn(cluster, 'team')),
  };
  const { metadata } = sandboxJob(kind, 3, SANDBOX_SETTINGS);
  const annotations = change.annotation === false ? {} : (metadata.annotations ?? {});
  cluster.jobs.store.applyWrite({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      ...metadata,
      annotations: { ...annotations, 'millwright.dev/workspace-image': 'toolchain:1' },
      uid: 'job',
      resourceVersion: '1',
      creationTimestamp: at(0),
    },
    spec: {},
  } as Job);
  const { limits, agentImage = SANDBOX_SETTINGS.agentImage } = change;
  if (limits)
    cluster.projects.store.applyWrite(
      aProject({ workspace: { image: 'toolchain:1', resources: { limits } } }, { name: 'big' }),
    );
  const observed = observePool('team/go', {
    cluster,
    scheduler: new Scheduler({
      limits: { project: () => undefined, workflow: () => undefined, pool: () => 1 },
      changed: () => {},
    }),
    workQueues: new WorkQueues(
      () => {},
      () => NOW,
    ),
    settings: { ...SANDBOX_SETTINGS, agentImage },
    draining: new Set(),
    preparation: () => 'done',
    troubles: new Troubles(() => {}),
    now: () => NOW,
  });
  expect(observed?.sandboxes).toMatchObject([{ job: 'go-3', ordinal: 3, image: 'toolchain:1' }]);
  return observed?.sandboxes[0]?.outdated ?? false;
}

test.each<[string, Parameters<typeof isOutdated>[0], boolean]>([
  ['nothing', {}, false],
  ['the image of the agent', { agentImage: 'agent:2' }, true],
  ['a Project that needs more', { limits: { cpu: '8', memory: '32Gi' } }, true],
  ['an operator that writes no revision yet made it', { annotation: false }, true],
])('a sandbox is outdated, or not, after: %s', (_, change, outdated) => {
  expect(isOutdated(change)).toBe(outdated);
});
