import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { run } from '../process/run.ts';

export const repository = resolve(import.meta.dirname, '../../..');
export const chart = join(repository, 'charts/millwright');
/** Helm assumes an old Kubernetes when it renders without a cluster. */
export const kubeVersion = '1.36.3';

export type Values = Readonly<Record<string, unknown>>;

interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

interface Container {
  readonly name: string;
  readonly env?: readonly EnvironmentVariable[];
}

/** A rendered object, as far as tests look into it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Record<string, string>;
  };
  readonly spec?: {
    readonly template?: {
      readonly spec: { readonly containers: readonly Container[]; readonly initContainers?: readonly Container[] };
    };
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
}

/** External services by values: the least that the chart needs. */
export const external: Values = {
  rabbitmq: {
    url: 'amqp://user:secret@rabbit.example:5672/',
    managementUrl: 'http://user:secret@rabbit.example:15672',
  },
  supabase: { url: 'https://project.supabase.example', serviceKey: 'service', jwtSecret: 'j'.repeat(40) },
  migrate: { url: 'postgres://postgres:secret@db.example:5432/postgres' },
};

/** Named sets of values that together render every template and every branch in them. */
export const variants: Readonly<Record<string, Values>> = {
  'external services by values': external,
  'external services by Secrets': {
    rabbitmq: { existingSecret: 'broker' },
    supabase: { existingSecret: 'database', jwksUrl: 'https://project.supabase.example/keys' },
    migrate: { existingSecret: 'database' },
    signingKey: { existingSecret: 'signing' },
    telemetry: { endpoint: 'http://collector.example:4318', headersSecret: 'collector', sampleRatio: 0.1 },
    publisher: { credentialsSecret: 'forge-write', nodeSelector: { disk: 'fast' } },
    git: { credentialsSecret: 'forge-read', replicas: 3, tolerations: [{ operator: 'Exists' }] },
    projectSecrets: [
      { namespace: 'team-a', read: ['forge-read'], push: ['forge-push'] },
      { namespace: 'team-b', read: ['r'] },
    ],
    images: { registry: 'registry.example/millwright', pullSecrets: ['pull'] },
    sandbox: {
      addresses: [
        { cidr: '10.0.0.5/32', ports: [5672, 4318] },
        { cidr: '10.0.0.6/32', ports: [443] },
      ],
      dns: { to: [{ ipBlock: { cidr: '169.254.20.10/32' } }], ports: [53, 5353] },
    },
    networkPolicy: {
      gatewayFrom: [{ namespaceSelector: {} }],
      egress: { forges: { cidrs: ['10.1.0.0/16'], ports: [443] } },
    },
    dashboards: { enabled: true },
  },
  'one namespace, storage of a node': {
    ...external,
    watchNamespace: 'team-a',
    shard: 'blue',
    git: { storage: { type: 'local', path: '/srv/millwright', node: 'node-1', size: '5Gi' } },
    operator: { replicas: 1, affinity: { nodeAffinity: {} } },
  },
  quickstart: { quickstart: { enabled: true }, git: { storage: { type: 'emptyDir' } } },
};

/** Runs `helm` with the values on its standard input. */
export function helm(args: readonly string[], values: Values = {}): Promise<string> {
  return run('helm', [...args, '--values', '-'], { input: JSON.stringify(values) });
}

/** The text of all objects of a release, hooks included. */
export function render(values: Values, namespace = 'millwright-system'): Promise<string> {
  return helm(['template', 'millwright', chart, '--namespace', namespace, '--kube-version', kubeVersion], values);
}

export function parse(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    const manifest = document.toJS() as Manifest | null;
    return manifest ? [manifest] : [];
  });
}

/** The environment that a container gets: values as given, Secrets from the same release, `…` for what the cluster would know. */
export function environmentOf(manifests: readonly Manifest[], name: string): Record<string, string> {
  const containers = manifests.flatMap((manifest) => {
    const spec = manifest.spec?.template?.spec;
    return spec ? [...(spec.initContainers ?? []), ...spec.containers] : [];
  });
  const container = containers.find((candidate) => candidate.name === name);
  if (!container) throw new Error(`no container is called ${name}`);
  return Object.fromEntries(
    (container.env ?? []).flatMap(({ name, value, valueFrom }): [string, string][] => {
      if (value !== undefined) return [[name, value]];
      const reference = valueFrom?.secretKeyRef;
      if (!reference) return [[name, '…']];
      const secret = manifests.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === reference.name);
      const plain = secret?.stringData?.[reference.key];
      const encoded = secret?.data?.[reference.key];
      const found = plain ?? (encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8'));
      if (found !== undefined) return [[name, found]];
      if (reference.optional) return [];
      throw new Error(
        `${container.name} needs key ${reference.key} of Secret ${reference.name}, which the release does not have`,
      );
    }),
  );
}
