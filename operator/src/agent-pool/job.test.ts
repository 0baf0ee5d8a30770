import { telemetryConfig, telemetryEnvironment } from '@millwright/otel';
import { describe, expect, test } from 'vitest';
import { aPool, aProject, aTask, SANDBOX_SETTINGS } from '../testing/objects.ts';
import { type SandboxSettings, sandboxJob, sandboxRevision } from './job.ts';
import { workspaceResources } from './resources.ts';

/** The environment of the agent as the kubelet would make it, of a pod `go-3-x` with uid `u-1`. */
function environmentOf(more: Partial<SandboxSettings>): Record<string, string> {
  const job = sandboxJob({ pool: aPool('go'), image: 'toolchain:1', resources: {} }, 3, {
    ...SANDBOX_SETTINGS,
    ...more,
  });
  const { containers } = (job.spec as { template: { spec: { containers: { name: string; env: Variable[] }[] } } })
    .template.spec;
  interface Variable {
    name: string;
    value?: string;
    valueFrom?: { fieldRef?: { fieldPath: string } };
  }
  const fields: Record<string, string> = { 'metadata.name': 'go-3-x', 'metadata.uid': 'u-1' };
  const environment: Record<string, string> = {};
  for (const { name, value, valueFrom } of containers.find((container) => container.name === 'agent')?.env ?? [])
    environment[name] =
      value?.replaceAll(/\$\((\w+)\)/g, (whole, variable) => environment[variable] ?? whole) ??
      fields[valueFrom?.fieldRef?.fieldPath ?? ''] ??
      '';
  return environment;
}

test('an agent with a receiver for spans says which pod and Job it is, and keeps the traces that the operator keeps', () => {
  const environment = environmentOf({ otlpEndpoint: 'http://collector:4318', sampleRatio: 0.25 });
  const config = telemetryConfig(telemetryEnvironment.parse(environment), { serviceName: 'agent' });
  expect(config).toMatchObject({
    endpoint: 'http://collector:4318',
    sampleRatio: 0.25,
    attributes: {
      'k8s.namespace.name': 'team',
      'k8s.pod.name': 'go-3-x',
      'k8s.pod.uid': 'u-1',
      'k8s.job.name': 'go-3',
    },
  });
});

test('without one it is told nothing about telemetry', () => {
  expect(Object.keys(environmentOf({})).filter((name) => name.startsWith('OTEL_'))).toEqual([]);
});

describe('the revision of a sandbox', () => {
  const kind = { pool: aPool('go'), image: 'toolchain:1', resources: {} };
  const revision = sandboxRevision(kind, SANDBOX_SETTINGS);

  test('is the same for all of a kind, and is written on each', () => {
    for (const ordinal of [1, 2])
      expect(sandboxJob(kind, ordinal, { ...SANDBOX_SETTINGS, otlpEndpoint: 'http://c' }).metadata.annotations).toEqual(
        {
          'millwright.dev/workspace-image': 'toolchain:1',
          'millwright.dev/sandbox-revision': sandboxRevision(kind, { ...SANDBOX_SETTINGS, otlpEndpoint: 'http://c' }),
        },
      );
  });

  const sandbox = (more: object) => ({ ...kind, pool: aPool('go', { sandbox: more }) });
  test.each([
    ['the image of the agent', sandboxRevision(kind, { ...SANDBOX_SETTINGS, agentImage: 'agent:2' })],
    ['resources', sandboxRevision({ ...kind, resources: { limits: { cpu: '1' } } }, SANDBOX_SETTINGS)],
    ['the runtime class', sandboxRevision(sandbox({ runtimeClassName: 'gvisor' }), SANDBOX_SETTINGS)],
    ['the deadline', sandboxRevision(sandbox({ deadlineSeconds: 60 }), SANDBOX_SETTINGS)],
  ])('changes with %s', (_, changed) => {
    expect(changed).not.toBe(revision);
  });
});

describe('resources of the workspace', () => {
  const limits = (cpu: string, memory: string) => ({ limits: { cpu, memory } });
  const project = (name: string, resources?: object, more = {}) =>
    aProject({ workspace: { image: 'toolchain:1', ...(resources ? { resources } : {}) }, ...more }, { name });
  const task = (workspace: object) => aTask({ projectRef: { name: 'a' }, workspace });
  const usual = {
    requests: { cpu: '50m', memory: '128Mi' },
    limits: { cpu: '2', memory: '2Gi', 'ephemeral-storage': '8Gi' },
  };

  test.each<[string, Parameters<typeof workspaceResources>[2], object]>([
    ['nobody uses the image', { projects: [], tasks: [] }, usual],
    ['nobody names any', { projects: [project('a'), project('b')], tasks: [] }, usual],
    ['one names them', { projects: [project('a', limits('1', '1Gi'))], tasks: [] }, limits('1', '1Gi')],
    [
      'the largest of each, in whatever unit',
      { projects: [project('a', limits('500m', '1Gi')), project('b', limits('0.25', '1500M'))], tasks: [] },
      { requests: { cpu: '500m', memory: '1500M' }, limits: { cpu: '500m', memory: '1500M' } },
    ],
    [
      'no limit is more than any, and a request is at most a limit',
      { projects: [project('a', limits('1', '1Gi')), project('b', { requests: { cpu: '2' } })], tasks: [] },
      { requests: { cpu: '2', memory: '1Gi' }, limits: {} },
    ],
    [
      'those of a task, instead of those of its Project',
      { projects: [project('a', limits('1', '1Gi'))], tasks: [task({ resources: limits('1', '4Gi') })] },
      { requests: { cpu: '1', memory: '4Gi' }, limits: { cpu: '1', memory: '4Gi' } },
    ],
    [
      'a task with another image and a disabled Project do not count',
      {
        projects: [project('a', limits('1', '1Gi')), project('b', limits('9', '9Gi'), { enabled: false })],
        tasks: [task({ image: 'other', resources: limits('8', '8Gi') })],
      },
      limits('1', '1Gi'),
    ],
  ])('%s', (_, users, expected) => {
    const found = (reversed: boolean) =>
      workspaceResources(aPool('go'), 'toolchain:1', {
        projects: reversed ? [...users.projects].reverse() : users.projects,
        tasks: users.tasks,
      });
    expect(found(false)).toEqual(expected);
    expect(found(true)).toEqual(expected);
  });

  test('what the pool names goes before all', () => {
    const pool = aPool('go', { sandbox: { resources: limits('4', '4Gi') } });
    expect(
      workspaceResources(pool, 'toolchain:1', { projects: [project('a', limits('9', '9Gi'))], tasks: [] }),
    ).toEqual(limits('4', '4Gi'));
  });
});
