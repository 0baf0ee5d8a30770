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

/** A peer of a NetworkPolicy: without any field it would be everybody. */
const peer = z
  .strictObject({
    ipBlock: z.object({ cidr: z.string() }).loose(),
    namespaceSelector: z.record(z.string(), z.unknown()),
    podSelector: z.record(z.string(), z.unknown()),
  })
  .partial()
  .refine((given) => Object.keys(given).length > 0, 'a peer needs ipBlock, namespaceSelector or podSelector');

const dnsServers = z.strictObject({
  to: z.array(peer).min(1),
  ports: z.array(z.int().min(1).max(65_535)).min(1),
});

/** Where clusters have their DNS, under a name and label that every distribution kept from kube-dns. */
const clusterDns: z.infer<typeof dnsServers> = {
  to: [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    },
  ],
  ports: [53],
};

const dnsJson = z.string().transform((text, context) => {
  try {
    const parsed = dnsServers.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: z.prettifyError(parsed.error).replaceAll(/\s*\n\s*/g, ' ') });
  } catch {
    context.addIssue({
      code: 'custom',
      message: 'expected JSON such as {"to":[{"ipBlock":{"cidr":"…"}}],"ports":[53]}',
    });
  }
  return z.NEVER;
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
  /** Who answers the DNS questions of sandboxes, in JSON: peers of a NetworkPolicy, and ports. Default: kube-dns in kube-system. */
  MILLWRIGHT_SANDBOX_DNS: dnsJson.optional(),
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
  const sandboxAmqpUrl = value.MILLWRIGHT_SANDBOX_AMQP_URL ?? value.MILLWRIGHT_AMQP_URL;
  return {
    amqpUrl: value.MILLWRIGHT_AMQP_URL,
    sandboxAmqpUrl,
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
    reachable: {
      controlNamespace: value.POD_NAMESPACE,
      brokerPort: portOf(sandboxAmqpUrl),
      dns: value.MILLWRIGHT_SANDBOX_DNS ?? clusterDns,
      addresses: value.MILLWRIGHT_SANDBOX_ADDRESSES,
    },
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

/** The port of an AMQP URL, which need not name the usual one. */
function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port === '' ? (protocol === 'amqps:' ? 5671 : 5672) : Number(port);
}
