import { telemetryConfig, telemetryEnvironment } from '@millwright/otel';
import { z } from 'zod';

const cidrList = z
  .string()
  .default('')
  .transform((text, context) => {
    const entries: { cidr: string; ports: number[] }[] = [];
    for (const part of text.split(/\s+/).filter((entry) => entry !== '')) {
      const [cidr = '', ports = ''] = part.split('@');
      const numbers = ports.split(',').map(Number);
      if (
        !/^[0-9a-f.:]+\/\d+$/.test(cidr) ||
        numbers.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535)
      ) {
        context.addIssue({ code: 'custom', message: `expected entries such as 10.0.0.5/32@5672,4318, got "${part}"` });
        return z.NEVER;
      }
      entries.push({ cidr, ports: numbers });
    }
    return entries;
  });

const environment = z.object({
  ...telemetryEnvironment.shape,
  MILLWRIGHT_AMQP_URL: z.url({ protocol: /^amqps?$/ }),
  /** Broker as sandboxes reach it; user and password are those of the pool. */
  MILLWRIGHT_SANDBOX_AMQP_URL: z.url({ protocol: /^amqps?$/ }).optional(),
  MILLWRIGHT_RABBITMQ_MANAGEMENT_URL: z.url({ protocol: /^https?$/ }),
  MILLWRIGHT_SIGNING_KEY: z.string().min(32, 'needs at least 32 characters'),
  MILLWRIGHT_GATEWAY_URL: z.url({ protocol: /^https?$/ }),
  MILLWRIGHT_AGENT_IMAGE: z.string().min(1),
  MILLWRIGHT_IMAGE_PULL_POLICY: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
  MILLWRIGHT_IMAGE_PULL_SECRETS: z.string().default(''),
  MILLWRIGHT_SANDBOX_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  MILLWRIGHT_SANDBOX_TTL_SECONDS: z.coerce.number().int().min(0).default(600),
  /** Addresses outside the control plane's namespace that sandboxes may reach: `<cidr>@<port>[,<port>…]`, separated by spaces. */
  MILLWRIGHT_SANDBOX_ADDRESSES: cidrList,
  MILLWRIGHT_COMMIT_AUTHOR_NAME: z.string().min(1).default('Millwright'),
  MILLWRIGHT_COMMIT_AUTHOR_EMAIL: z.email().default('millwright@millwright.dev'),
  /** Watch this namespace only; default: all. */
  MILLWRIGHT_WATCH_NAMESPACE: z.string().min(1).optional(),
  /** Look at objects with this value of the label `millwright.dev/shard` only; default: at those without the label. */
  MILLWRIGHT_SHARD: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'expected a label value: lower case letters, digits and dashes')
    .optional(),
  /** Namespace of the Lease. */
  POD_NAMESPACE: z.string().min(1).default('millwright-system'),
  POD_NAME: z.string().min(1).default('operator'),
  MILLWRIGHT_HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  MILLWRIGHT_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  KUBECONFIG: z.string().optional(),
});

export type OperatorConfig = ReturnType<typeof readConfig>;

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Parses the operator's environment. Throws a ConfigError that lists every problem at once. */
export function readConfig(env: NodeJS.ProcessEnv) {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(set);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const name = issue.path.join('.');
      return `  ${name}: ${set[name] === undefined ? 'is not set' : issue.message}`;
    });
    throw new ConfigError(`the environment is not usable:\n${lines.join('\n')}`);
  }
  const value = parsed.data;
  return {
    amqpUrl: value.MILLWRIGHT_AMQP_URL,
    sandboxAmqpUrl: value.MILLWRIGHT_SANDBOX_AMQP_URL ?? value.MILLWRIGHT_AMQP_URL,
    managementUrl: value.MILLWRIGHT_RABBITMQ_MANAGEMENT_URL,
    signingKey: value.MILLWRIGHT_SIGNING_KEY,
    gatewayUrl: value.MILLWRIGHT_GATEWAY_URL.replace(/\/+$/, ''),
    author: { name: value.MILLWRIGHT_COMMIT_AUTHOR_NAME, email: value.MILLWRIGHT_COMMIT_AUTHOR_EMAIL },
    sandbox: {
      agentImage: value.MILLWRIGHT_AGENT_IMAGE,
      imagePullPolicy: value.MILLWRIGHT_IMAGE_PULL_POLICY,
      imagePullSecrets: value.MILLWRIGHT_IMAGE_PULL_SECRETS.split(/[\s,]+/).filter((name) => name !== ''),
      ...(value.MILLWRIGHT_SANDBOX_OTLP_ENDPOINT === undefined
        ? {}
        : { otlpEndpoint: value.MILLWRIGHT_SANDBOX_OTLP_ENDPOINT }),
      ...(value.OTEL_TRACES_SAMPLER_ARG === undefined ? {} : { sampleRatio: value.OTEL_TRACES_SAMPLER_ARG }),
      logLevel: value.MILLWRIGHT_LOG_LEVEL,
      ttlSecondsAfterFinished: value.MILLWRIGHT_SANDBOX_TTL_SECONDS,
    },
    sandboxAddresses: value.MILLWRIGHT_SANDBOX_ADDRESSES,
    watchNamespace: value.MILLWRIGHT_WATCH_NAMESPACE,
    shard: value.MILLWRIGHT_SHARD,
    namespace: value.POD_NAMESPACE,
    identity: value.POD_NAME,
    port: value.MILLWRIGHT_HTTP_PORT,
    logLevel: value.MILLWRIGHT_LOG_LEVEL,
    kubeconfig: value.KUBECONFIG,
    telemetry: telemetryConfig(value, { serviceName: 'millwright-operator', instanceId: value.POD_NAME }),
  };
}
