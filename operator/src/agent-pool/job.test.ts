import { telemetryConfig, telemetryEnvironment } from '@millwright/otel';
import { expect, test } from 'vitest';
import { aPool } from '../testing/objects.ts';
import { type SandboxSettings, sandboxJob } from './job.ts';

const settings: SandboxSettings = {
  agentImage: 'agent:1',
  imagePullPolicy: 'Never',
  imagePullSecrets: [],
  logLevel: 'info',
  ttlSecondsAfterFinished: 60,
};

/** The environment of the agent as the kubelet would make it, of a pod `go-3-x` with uid `u-1`. */
function environmentOf(more: Partial<SandboxSettings>): Record<string, string> {
  const job = sandboxJob(aPool('go'), 3, 'toolchain:1', { ...settings, ...more });
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
