import { annotations, labels } from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { expect, test } from 'vitest';
import { STUCK_START_MS } from '../agent-pool/problem.ts';
import { watchCluster } from '../cluster.ts';
import { type KubeClient, noMetrics } from '../runtime/index.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { aTask, at, NOW, runningOn, verifyingOn } from '../testing/objects.ts';
import { publishedWork } from '../testing/observations.ts';
import { TaskMemories } from './memory.ts';
import type { PublishedWork } from './observation.ts';
import { observeTask } from './observe.ts';

const old = (kind: 'run' | 'verify', change: Partial<PublishedWork> = {}) =>
  publishedWork(kind, { at: NOW - STUCK_START_MS, ...change });

/** Whether a task is seen to wait for sandboxes that cannot be started, in a pool that has one such for `toolchain:1`. */
async function isStuck(task: ReturnType<typeof aTask>, work: PublishedWork): Promise<boolean> {
  const kube = {} as KubeClient;
  const cluster = watchCluster({ kube, logger: silentLogger, metrics: noMetrics });
  cluster.tasks.store.applyWrite(task);
  cluster.pods.store.applyWrite({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'pool-1-x',
      namespace: 'team',
      uid: 'pod',
      resourceVersion: '1',
      creationTimestamp: at(-STUCK_START_MS),
      labels: { [labels.pool]: 'pool' },
      annotations: { [annotations.image]: 'toolchain:1' },
    },
    status: { containerStatuses: [{ name: 'workspace', state: { waiting: { reason: 'ErrImagePull' } } }] },
  });
  const memories = new TaskMemories();
  memories.of(task.metadata).published.work = work;
  const scheduler = new Scheduler({
    limits: { project: () => undefined, workflow: () => undefined, pool: () => 1 },
    changed: () => {},
  });
  const observed = await observeTask('team/task', {
    kube,
    cluster,
    memories,
    scheduler,
    draining: new Set(),
    epoch: () => 1,
    now: () => NOW,
    random: () => 0,
    listeningSince: () => NOW,
  });
  return observed?.stuckStart?.reason === 'ImagePull';
}

test.each<[string, ReturnType<typeof aTask>, PublishedWork, boolean]>([
  ['work that waits for long', aTask(), old('run'), true],
  ['work that waits for its verification', aTask({}, verifyingOn(undefined)), old('verify'), true],
  ['work that has just been published', aTask(), publishedWork('run'), false],
  ['work of the attempt before', aTask({}, { phase: 'Waiting', attempt: 2 }), old('run'), false],
  ['work for another pool', aTask(), old('run', { pool: 'team/other' }), false],
  ['work that runs', aTask({}, runningOn('a')), old('run'), false],
  ['work that is being verified', aTask({}, verifyingOn('v')), old('verify'), false],
])('%s', async (_, task, work, expected) => {
  expect(await isStuck(task, work)).toBe(expected);
});
