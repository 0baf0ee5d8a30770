import { z } from 'zod';

/** What `startTelemetry` needs to know. */
export interface TelemetryConfig {
  serviceName: string;
  serviceVersion?: string;
  /** This process, such as its pod's name. */
  instanceId?: string;
  /** Base URL of an OTLP/HTTP receiver, such as `http://collector:4318`; telemetry is off without it. */
  endpoint?: string;
  disabled?: boolean;
  /** Headers for the receiver, such as a token. */
  headers?: Record<string, string>;
  /** Further resource attributes. */
  attributes?: Record<string, string>;
  /** Share of traces kept, 0 to 1; 1 by default. */
  sampleRatio?: number;
}

const pairs = z
  .string()
  .transform((text, context) => {
    const entries: [string, string][] = [];
    for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
      const at = pair.indexOf('=');
      const value = decode(pair.slice(at + 1).trim());
      if (at <= 0 || value === undefined) {
        const message = `expected key=value pairs separated by commas, values percent-encoded, got "${pair}"`;
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }
      entries.push([pair.slice(0, at).trim(), value]);
    }
    return Object.fromEntries(entries);
  })
  .optional();

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * The part of a process's environment that telemetry reads, with OpenTelemetry's own names
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/): spread its `shape` into the process's
 * own schema.
 */
export const telemetryEnvironment = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_OTLP_HEADERS: pairs,
  OTEL_RESOURCE_ATTRIBUTES: pairs,
  OTEL_SDK_DISABLED: z.enum(['true', 'false']).optional(),
  OTEL_SERVICE_NAME: z.string().min(1).optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).optional(),
});

/** The configuration that an environment asks for. `defaults` names the process. */
export function telemetryConfig(
  environment: z.infer<typeof telemetryEnvironment>,
  defaults: { serviceName: string; serviceVersion?: string; instanceId?: string },
): TelemetryConfig {
  return {
    ...defaults,
    serviceName: environment.OTEL_SERVICE_NAME ?? defaults.serviceName,
    disabled: environment.OTEL_SDK_DISABLED === 'true',
    ...(environment.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
      ? {}
      : { endpoint: environment.OTEL_EXPORTER_OTLP_ENDPOINT }),
    ...(environment.OTEL_EXPORTER_OTLP_HEADERS === undefined
      ? {}
      : { headers: environment.OTEL_EXPORTER_OTLP_HEADERS }),
    ...(environment.OTEL_RESOURCE_ATTRIBUTES === undefined ? {} : { attributes: environment.OTEL_RESOURCE_ATTRIBUTES }),
    ...(environment.OTEL_TRACES_SAMPLER_ARG === undefined ? {} : { sampleRatio: environment.OTEL_TRACES_SAMPLER_ARG }),
  };
}
