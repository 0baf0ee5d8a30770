import { hash } from 'node:crypto';
import { type AgentPool, API_VERSION, annotations, labels } from '@millwright/crds';
import { attr } from '@millwright/otel';
import { type Job, SANDBOX } from '../cluster.ts';
import type { Draft } from '../runtime/index.ts';
import { shardOf } from '../shard.ts';
import type { Resources } from './resources.ts';

export interface SandboxSettings {
  /** Image of the agent container, which also carries the exec server. */
  agentImage: string;
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  imagePullSecrets: readonly string[];
  otlpEndpoint?: string;
  /** Share of traces that the operator keeps, 0 to 1: whoever kept others would send parts of traces. */
  sampleRatio?: number;
  logLevel: string;
  /** Seconds that a finished sandbox and its `kubectl logs` stay. */
  ttlSecondsAfterFinished: number;
}

const USER = 65_532;
const SOCKET = '/run/millwright';
const TOOLS = '/millwright/bin';
const WORKSPACE = '/workspace';

/** Name of the Secret with the broker URL of a pool. */
export const poolSecretName = (pool: string): string => `millwright-pool-${pool}`;
export const sandboxName = (pool: string, ordinal: number): string => `${pool}-${ordinal}`;

/** Seconds after which a sandbox of the pool is ended, whatever it does. */
export const deadlineSecondsOf = ({ spec }: AgentPool): number => spec.sandbox?.deadlineSeconds ?? 86_400;

const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

const agentResources = {
  requests: { cpu: '10m', memory: '96Mi' },
  limits: { memory: '384Mi', 'ephemeral-storage': '1Gi' },
};

/** Everything that sandboxes of one kind have in common. */
export interface SandboxKind {
  pool: AgentPool;
  /** Of the workspace container. */
  image: string;
  resources: Resources;
}

/**
 * The Job of one sandbox: the trusted `agent` container and, in the project's own image, the untrusted `workspace` container that runs the
 * commands. They share a socket and nothing else.
 */
export function sandboxJob(kind: SandboxKind, ordinal: number, settings: SandboxSettings): Draft<Job> {
  const { pool, image } = kind;
  const { name, namespace, uid } = pool.metadata;
  return {
    metadata: {
      name: sandboxName(name, ordinal),
      namespace,
      labels: labelsOf(pool),
      annotations: { [annotations.image]: image, [annotations.revision]: sandboxRevision(kind, settings) },
      ownerReferences: [
        { apiVersion: API_VERSION, kind: 'AgentPool', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: jobSpec(kind, ordinal, settings),
  };
}

/** Changes with all that a sandbox is made from, and is the same for all of a kind. */
export const sandboxRevision = (kind: SandboxKind, settings: SandboxSettings): string =>
  hash('sha256', JSON.stringify(jobSpec(kind, 0, settings)), 'hex').slice(0, 16);

const labelsOf = (pool: AgentPool) => ({
  'app.kubernetes.io/name': 'millwright',
  'app.kubernetes.io/component': SANDBOX,
  [labels.component]: SANDBOX,
  [labels.pool]: pool.metadata.name,
  ...shardOf(pool),
});

function jobSpec(kind: SandboxKind, ordinal: number, settings: SandboxSettings) {
  const { pool, image } = kind;
  return {
    backoffLimit: 0,
    completions: 1,
    parallelism: 1,
    activeDeadlineSeconds: deadlineSecondsOf(pool),
    ttlSecondsAfterFinished: settings.ttlSecondsAfterFinished,
    template: {
      metadata: { labels: labelsOf(pool), annotations: { [annotations.image]: image } },
      spec: podSpec(kind, ordinal, settings),
    },
  };
}

function podSpec({ pool, image, resources }: SandboxKind, ordinal: number, settings: SandboxSettings) {
  const { sandbox } = pool.spec;
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 20,
    ...(sandbox?.runtimeClassName === undefined ? {} : { runtimeClassName: sandbox.runtimeClassName }),
    ...(settings.imagePullSecrets.length > 0
      ? { imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })) }
      : {}),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    initContainers: [
      {
        name: 'install',
        image: settings.agentImage,
        imagePullPolicy: settings.imagePullPolicy,
        command: ['/usr/local/bin/workspace-server', 'install', TOOLS],
        securityContext: restricted,
        resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
        volumeMounts: [{ name: 'tools', mountPath: TOOLS }],
      },
    ],
    containers: [
      {
        name: 'agent',
        image: settings.agentImage,
        imagePullPolicy: settings.imagePullPolicy,
        env: [...agentEnvironment(pool, image, settings), ...telemetryEnvironment(pool, ordinal, settings)],
        securityContext: restricted,
        resources: agentResources,
        // The agent answers when it is ready: a probe that is given up before would be an Event of each start, and be late.
        readinessProbe: {
          httpGet: { path: '/readyz', port: 8080 },
          periodSeconds: 2,
          timeoutSeconds: 30,
          failureThreshold: 3,
        },
        volumeMounts: [
          { name: 'socket', mountPath: SOCKET },
          { name: 'agent-tmp', mountPath: '/tmp' },
        ],
      },
      {
        name: 'workspace',
        image,
        imagePullPolicy: settings.imagePullPolicy,
        command: [`${TOOLS}/workspace-server`, 'serve'],
        env: [
          { name: 'MILLWRIGHT_WORKSPACE_SOCKET', value: `${SOCKET}/workspace.sock` },
          { name: 'MILLWRIGHT_WORKSPACE_DIR', value: WORKSPACE },
          // Without a limit of its own this is the node's memory. A greedy command ends before the kernel ends the container.
          {
            name: 'MILLWRIGHT_WORKSPACE_MAX_MEMORY_BYTES',
            valueFrom: { resourceFieldRef: { containerName: 'workspace', resource: 'limits.memory' } },
          },
          { name: 'HOME', value: `${WORKSPACE}/home` },
          { name: 'TMPDIR', value: '/tmp' },
        ],
        securityContext: restricted,
        resources,
        volumeMounts: [
          { name: 'tools', mountPath: TOOLS, readOnly: true },
          { name: 'socket', mountPath: SOCKET },
          { name: 'workspace', mountPath: WORKSPACE },
          { name: 'workspace-tmp', mountPath: '/tmp' },
        ],
      },
    ],
    volumes: [
      { name: 'tools', emptyDir: { sizeLimit: '64Mi' } },
      { name: 'socket', emptyDir: { sizeLimit: '1Mi' } },
      { name: 'workspace', emptyDir: { sizeLimit: '8Gi' } },
      { name: 'agent-tmp', emptyDir: { sizeLimit: '256Mi' } },
      { name: 'workspace-tmp', emptyDir: { sizeLimit: '2Gi' } },
    ],
  };
}

function agentEnvironment(pool: AgentPool, image: string, settings: SandboxSettings) {
  const { name, namespace } = pool.metadata;
  return [
    {
      name: 'MILLWRIGHT_AMQP_URL',
      valueFrom: { secretKeyRef: { name: poolSecretName(name), key: 'url' } },
    },
    { name: 'MILLWRIGHT_NAMESPACE', value: namespace },
    { name: 'MILLWRIGHT_POOL', value: name },
    { name: 'MILLWRIGHT_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'MILLWRIGHT_WORKSPACE_IMAGE', value: image },
    { name: 'MILLWRIGHT_ENGINE', value: pool.spec.engine },
    { name: 'MILLWRIGHT_WORKSPACE_SOCKET', value: `${SOCKET}/workspace.sock` },
    { name: 'MILLWRIGHT_WORKSPACE_DIR', value: WORKSPACE },
    { name: 'MILLWRIGHT_HTTP_PORT', value: '8080' },
    { name: 'MILLWRIGHT_LOG_LEVEL', value: settings.logLevel },
  ];
}

/** Where spans go and which process they are of; only the kubelet knows the name and uid of the pod. */
function telemetryEnvironment({ metadata }: AgentPool, ordinal: number, settings: SandboxSettings) {
  const { otlpEndpoint, sampleRatio } = settings;
  if (otlpEndpoint === undefined) return [];
  const identity = {
    [attr.namespace]: metadata.namespace,
    [attr.podName]: '$(MILLWRIGHT_POD)',
    [attr.podUid]: '$(POD_UID)',
    [attr.jobName]: sandboxName(metadata.name, ordinal),
  };
  const pairs = Object.entries(identity).map(([key, value]) => `${key}=${value}`);
  return [
    { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: otlpEndpoint },
    { name: 'POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
    { name: 'OTEL_RESOURCE_ATTRIBUTES', value: pairs.join(',') },
    ...(sampleRatio === undefined ? [] : [{ name: 'OTEL_TRACES_SAMPLER_ARG', value: String(sampleRatio) }]),
  ];
}
