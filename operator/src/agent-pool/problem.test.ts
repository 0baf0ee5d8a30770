import { expect, test } from 'vitest';
import type { Job, Pod } from '../cluster.ts';
import { at, NOW } from '../testing/objects.ts';
import { isStuck, NO_POD_MS, noPod, problemOf } from './problem.ts';

const waiting = (reason: string, container = 'workspace') => ({
  containerStatuses: [{ name: container, state: { waiting: { reason, message: 'not found' } } }],
});

const pod = (name: string, status: Pod['status']): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'team', uid: name, resourceVersion: '1', creationTimestamp: at(0) },
  ...(status ? { status } : {}),
});

test.each<[string, Pod['status'], string | undefined, boolean?]>([
  ['no pod yet', undefined, undefined],
  ['an image that cannot be pulled', waiting('ImagePullBackOff'), 'ImagePull', true],
  ['a container that cannot be made', waiting('CreateContainerConfigError'), 'SandboxLost', true],
  ['one that pulls for long', waiting('ContainerCreating'), undefined],
  [
    'no room on any node, which is no fault of the image',
    { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
    'Unschedulable',
    false,
  ],
])('%s', (_, status, reason, stuck) => {
  const problem = problemOf(pod('a', status));
  expect(problem?.reason).toBe(reason);
  expect(problem && isStuck(problem)).toBe(stuck);
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

test('a Job that gets no pod is told of after a while, with where to look', () => {
  const { metadata } = pod('go-3', undefined);
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: {} } as Job;
  expect(noPod(job, NOW + NO_POD_MS - 1)).toBeUndefined();
  const problem = noPod(job, NOW + NO_POD_MS);
  expect(problem?.message).toContain('kubectl -n team describe job go-3');
  expect(problem && isStuck(problem)).toBe(false);
});
