import { describe, expect, it } from 'vitest';
import { telemetryConfig, telemetryEnvironment } from './config.ts';

const defaults = { serviceName: 'operator', instanceId: 'pod-1' };

describe('the telemetry environment', () => {
  it('is off when it says nothing', () => {
    const config = telemetryConfig(telemetryEnvironment.parse({}), defaults);
    expect(config).toEqual({ serviceName: 'operator', instanceId: 'pod-1', disabled: false });
  });

  it('speaks with the names of OpenTelemetry', () => {
    const environment = telemetryEnvironment.parse({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x, tenant = a',
      OTEL_RESOURCE_ATTRIBUTES: 'k8s.cluster.name=prod',
      OTEL_SDK_DISABLED: 'true',
      OTEL_SERVICE_NAME: 'mine',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    });
    expect(telemetryConfig(environment, defaults)).toEqual({
      serviceName: 'mine',
      instanceId: 'pod-1',
      endpoint: 'http://collector:4318',
      headers: { authorization: 'Bearer x', tenant: 'a' },
      attributes: { 'k8s.cluster.name': 'prod' },
      disabled: true,
      sampleRatio: 0.25,
    });
  });

  it('tells of every mistake at once', () => {
    const result = telemetryEnvironment.safeParse({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
      OTEL_RESOURCE_ATTRIBUTES: 'nonsense,a=%ZZ',
      OTEL_SDK_DISABLED: 'yes',
      OTEL_TRACES_SAMPLER_ARG: '2',
    });
    expect(new Set(result.error?.issues.map((issue) => issue.path[0]))).toEqual(
      new Set([
        'OTEL_EXPORTER_OTLP_ENDPOINT',
        'OTEL_RESOURCE_ATTRIBUTES',
        'OTEL_SDK_DISABLED',
        'OTEL_TRACES_SAMPLER_ARG',
      ]),
    );
  });

  it('tells of a value that is not percent-encoded instead of throwing', () => {
    expect(telemetryEnvironment.safeParse({ OTEL_RESOURCE_ATTRIBUTES: 'a=%ZZ' }).success).toBe(false);
  });
});
