import { annotations, labels } from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { expect, test } from 'vitest';
import { type Pod, watchCluster } from '../cluster.ts';
import { type KubeClient, noMetrics } from '../runtime/index.ts';
import { aTask, at, NOW, runningOn } from '../testing/objects.ts';
import { problemOf, STUCK_START_MS, stuckStart } from './problem.ts';

const waiting = (reason: string, container = 'workspace') => ({
  containerStatuses: [{ name: container, state: { waiting: { reason, message: 'not found' } } }],
});
const ready = { conditions: [{ type: 'Ready', status: 'True' }] };

function pod(
  name: string,
  status: Pod['status'],
  change: { image?: string; ageMs?: number; gone?: boolean } = {},
): Pod {
  const { image = 'toolchain:1', ageMs = STUCK_START_MS, gone = false } = change;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'team',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: at(-ageMs),
      labels: { [labels.pool]: 'go' },
      annotations: { [annotations.image]: image },
      ...(gone ? { deletionTimestamp: at(0) } : {}),
    },
    ...(status ? { status } : {}),
  };
}

/** The reason why work for `toolchain:1` is not claimed, with these pods. */
function found(pods: Pod[], busy?: string): string | undefined {
  const cluster = watchCluster({ kube: {} as KubeClient, logger: silentLogger, metrics: noMetrics });
  for (const each of pods) cluster.pods.store.applyWrite(each);
  if (busy !== undefined) cluster.tasks.store.applyWrite(aTask({}, runningOn(busy)));
  return stuckStart('team/go', 'toolchain:1', cluster, NOW)?.reason;
}

const backOff = waiting('ImagePullBackOff');
test.each<[string, Pod[], string | undefined, string?]>([
  ['no sandbox', [], undefined],
  ['one that cannot pull', [pod('a', backOff)], 'ImagePull'],
  ['one that cannot be made', [pod('a', waiting('CreateContainerConfigError'))], 'SandboxLost'],
  ['not for long yet', [pod('a', backOff, { ageMs: STUCK_START_MS - 1 })], undefined],
  ['one that pulls for long', [pod('a', waiting('ContainerCreating'))], undefined],
  ['for another image', [pod('a', backOff, { image: 'other' })], undefined],
  ['that goes already', [pod('a', backOff, { gone: true })], undefined],
  ['another one idles', [pod('a', backOff), pod('b', ready)], undefined],
  ['another one works', [pod('a', backOff), pod('b', ready)], 'ImagePull', 'b'],
  [
    'no room on any node, which is no fault of the image',
    [pod('a', { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] })],
    undefined,
  ],
])('%s', (_, pods, reason, busy) => {
  expect(found(pods, busy)).toBe(reason);
});

test.each([
  ['workspace', 'spec.workspace.image of the Project'],
  ['agent', 'images.agents'],
  ['install', 'images.agents'],
])('what to change for the image of container %s is said to the end', (container, remedy) => {
  const status = {
    containerStatuses: [{ name: container, state: { waiting: { reason: 'ErrImagePull', message: 'x'.repeat(5000) } } }],
  };
  const problem = problemOf(pod('a', status));
  expect(problem?.message).toContain(remedy);
  expect(problem?.message).toMatch(/available to the nodes$/);
  expect(problem?.message.length).toBeLessThanOrEqual(1000);
});
