import { silentLogger } from '@millwright/otel';
import { expect, test } from 'vitest';
import { Troubles } from '../agent-pool/troubles.ts';
import { watchCluster } from '../cluster.ts';
import { type KubeClient, noMetrics } from '../runtime/index.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { aPool, aTask, NOW, runningOn, verifyingOn } from '../testing/objects.ts';
import { aSandbox, publishedWork } from '../testing/observations.ts';
import { TaskMemories } from './memory.ts';
import type { PublishedWork } from './observation.ts';
import { observeTask } from './observe.ts';

/** Whether a task is seen to wait for sandboxes that cannot be started, in a pool that has one such for `toolchain:1`. */
async function isStuck(task: ReturnType<typeof aTask>, work: PublishedWork): Promise<boolean> {
  const kube = {} as KubeClient;
  const cluster = watchCluster({ kube, logger: silentLogger, metrics: noMetrics });
  cluster.tasks.store.applyWrite(task);
  const memories = new TaskMemories();
  memories.of(task.metadata).published.work = work;
  const troubles = new Troubles(() => {});
  const sandbox = aSandbox(1, 'starting', { image: 'toolchain:1', problem: { reason: 'ImagePull', message: '' } });
  troubles.look(aPool(), [sandbox], NOW);
  const scheduler = new Scheduler({
    limits: { project: () => undefined, workflow: () => undefined, pool: () => 1 },
    changed: () => {},
  });
  const observed = await observeTask('team/task', {
    kube,
    cluster,
    memories,
    scheduler,
    troubles,
    draining: new Set(),
    epoch: () => 1,
    now: () => NOW,
    random: () => 0,
    listeningSince: () => NOW,
  });
  return observed?.trouble?.problem.reason === 'ImagePull';
}

test.each<[string, ReturnType<typeof aTask>, PublishedWork, boolean]>([
  ['work that waits', aTask(), publishedWork('run'), true],
  ['work that waits for its verification', aTask({}, verifyingOn(undefined)), publishedWork('verify'), true],
  ['work of the attempt before', aTask({}, { phase: 'Waiting', attempt: 2 }), publishedWork('run'), false],
  ['work for another pool', aTask(), publishedWork('run', { pool: 'team/other' }), false],
  ['work that runs', aTask({}, runningOn('a')), publishedWork('run'), false],
  ['work that is being verified', aTask({}, verifyingOn('v')), publishedWork('verify'), false],
])('%s', async (_, task, work, expected) => {
  expect(await isStuck(task, work)).toBe(expected);
});
