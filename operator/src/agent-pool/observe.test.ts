import type { AgentTask } from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { describe, expect, test } from 'vitest';
import { type Job, watchCluster } from '../cluster.ts';
import { WorkQueues } from '../dispatch/work-queues.ts';
import { type KubeClient, noMetrics } from '../runtime/index.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { aPool, aProject, aTask, at, NOW, runningOn, SANDBOX_SETTINGS } from '../testing/objects.ts';
import { sandboxJob } from './job.ts';
import { observePool } from './observe.ts';
import type { SandboxView } from './plan.ts';
import { NO_POD_MS } from './problem.ts';
import { usersIn, workspaceResources } from './resources.ts';
import { Troubles } from './troubles.ts';

/** The one sandbox of a pool, as it is seen after something has changed. */
function sandboxAfter(change: {
  agentImage?: string;
  limits?: Record<string, string>;
  annotation?: boolean;
  /** Of its Job. */
  status?: Job['status'];
  task?: AgentTask;
  /** Milliseconds. */
  age?: number;
}): SandboxView | undefined {
  const cluster = watchCluster({ kube: {} as KubeClient, logger: silentLogger, metrics: noMetrics });
  const pool = aPool('go');
  cluster.pools.store.applyWrite(pool);
  cluster.projects.store.applyWrite(aProject());
  if (change.task) cluster.tasks.store.applyWrite(change.task);
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
    ...(change.status ? { status: change.status } : {}),
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
    now: () => NOW + (change.age ?? 0),
  });
  expect(observed?.sandboxes).toMatchObject([{ job: 'go-3', ordinal: 3, image: 'toolchain:1' }]);
  return observed?.sandboxes[0];
}

test.each<[string, Parameters<typeof sandboxAfter>[0], boolean]>([
  ['nothing', {}, false],
  ['the image of the agent', { agentImage: 'agent:2' }, true],
  ['a Project that needs more', { limits: { cpu: '8', memory: '32Gi' } }, true],
  ['an operator that writes no revision yet made it', { annotation: false }, true],
])('a sandbox is outdated, or not, after: %s', (_, change, outdated) => {
  expect(sandboxAfter(change)?.outdated).toBe(outdated);
});

describe('a sandbox whose pod is gone', () => {
  const failed = { status: { conditions: [{ type: 'Failed', status: 'True', lastTransitionTime: at(0) }] } };
  const on = (pod: string) => aTask({}, runningOn(pod));
  test.each<[string, Parameters<typeof sandboxAfter>[0], SandboxView['state']]>([
    ['failed without a task', failed, 'failed'],
    ['failed while others had tasks', { ...failed, task: on('go-30-abcde') }, 'failed'],
    ['has shown that it starts when it had a task', { ...failed, task: on('go-3-abcde') }, 'succeeded'],
    ['is about to end when it had a task', { task: on('go-3-abcde'), age: NO_POD_MS }, 'spent'],
    ['is awaited when it had none', { age: NO_POD_MS }, 'starting'],
  ])('%s', (_, change, state) => {
    const sandbox = sandboxAfter(change);
    expect(sandbox?.state).toBe(state);
    if (state !== 'failed' && state !== 'succeeded') expect(sandbox?.problem !== undefined).toBe(state === 'starting');
  });

  test('counts as one that had a task in an attempt that has ended', () => {
    const record = {
      attempt: 1,
      outcome: 'Failed',
      reason: 'SandboxLost',
      pod: 'go-3-abcde',
      finishedAt: at(0),
    } as const;
    const task = aTask({}, { phase: 'Waiting', reason: 'BackingOff', attempt: 2, history: [record] });
    expect(sandboxAfter({ ...failed, task })?.state).toBe('succeeded');
  });
});
