import {
  type AgentPool,
  type AgentTask,
  agentPools,
  agentTasks,
  isFinished,
  labels,
  type Project,
  projects,
  type Workflow,
  workflows,
} from '@millwright/crds';
import type { Logger } from '@millwright/otel';
import { workflowOf } from './agent-task/owner.ts';
import {
  createReflector,
  defineResource,
  type KubeClient,
  type KubeObject,
  type RuntimeMetrics,
} from './runtime/index.ts';
import { isInShard, shardSelector } from './shard.ts';

/** The part of a Job that the operator reads. */
export interface Job extends KubeObject {
  kind: 'Job';
  spec: Record<string, unknown>;
  status?: {
    succeeded?: number;
    failed?: number;
    conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[];
  };
}

interface ContainerState {
  name: string;
  ready?: boolean;
  state?: {
    waiting?: { reason?: string; message?: string };
    terminated?: { reason?: string; exitCode?: number; message?: string };
  };
}

/** The part of a Pod that the operator reads. */
export interface Pod extends KubeObject {
  kind: 'Pod';
  status?: {
    phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    reason?: string;
    message?: string;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
    initContainerStatuses?: ContainerState[];
    containerStatuses?: ContainerState[];
  };
}

export interface NetworkPolicy extends KubeObject {
  kind: 'NetworkPolicy';
  spec: Record<string, unknown>;
}

export const resources = {
  projects: defineResource<Project>(projects),
  pools: defineResource<AgentPool>(agentPools),
  workflows: defineResource<Workflow>(workflows),
  tasks: defineResource<AgentTask>(agentTasks),
  jobs: defineResource<Job>({ group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job', namespaced: true }),
  pods: defineResource<Pod>({ group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true }),
  policies: defineResource<NetworkPolicy>({
    group: 'networking.k8s.io',
    version: 'v1',
    plural: 'networkpolicies',
    kind: 'NetworkPolicy',
    namespaced: true,
  }),
};

/** Value of the component label on Jobs, pods and NetworkPolicies of sandboxes. */
export const SANDBOX = 'sandbox';

const projectOf = (object: { metadata: { namespace: string }; spec: { projectRef: { name: string } } }): string =>
  `${object.metadata.namespace}/${object.spec.projectRef.name}`;

const poolOf = ({ metadata }: KubeObject): string | undefined => {
  const pool = metadata.labels?.[labels.pool];
  return pool === undefined ? undefined : `${metadata.namespace}/${pool}`;
};

/** Name of the Job that a pod belongs to. */
export const jobOf = ({ metadata }: KubeObject): string | undefined =>
  metadata.labels?.['batch.kubernetes.io/job-name'];

const uidOf = ({ metadata }: KubeObject): string => metadata.uid;
const namespaceOf = ({ metadata }: KubeObject): string => metadata.namespace;

/** Namespace of a task that has not ended and names a workspace of its own. */
const openWithWorkspace = ({ metadata, spec, status }: AgentTask): string | undefined =>
  spec.workspace === undefined || isFinished(status?.phase) ? undefined : metadata.namespace;

/** Pods that were ever granted the task, as far as its status tells. */
const podsOf = ({ metadata, status }: AgentTask): string[] =>
  [status?.agent?.pod, status?.verifier?.pod, ...(status?.history ?? []).map((attempt) => attempt.pod)].flatMap(
    (pod) => (pod === undefined ? [] : [`${metadata.namespace}/${pod}`]),
  );

/** Jobs of these pods, by their names: what the API server appends to that of the Job has six characters, and nothing is cut off. */
const jobsOf = (task: AgentTask): string[] => podsOf(task).map((pod) => pod.slice(0, -6));

/** A sandbox pod's spec and most of its status concern the kubelet only; tens of them per task would fill the memory. */
const slimPod = (pod: Pod): Pod => {
  const { apiVersion, kind, metadata, status } = pod;
  return { apiVersion, kind, metadata, ...(status ? { status } : {}) };
};
const withoutSpec = <T extends Job | NetworkPolicy>(object: T): T => ({ ...object, spec: {} });

export type Cluster = ReturnType<typeof watchCluster>;

/** Reflectors of everything the operator looks at. They are not yet running. */
export function watchCluster(options: {
  kube: KubeClient;
  namespace?: string;
  /** See `shardSelector`. */
  shard?: string;
  logger: Logger;
  metrics: RuntimeMetrics;
}) {
  const common = {
    kube: options.kube,
    logger: options.logger,
    metrics: options.metrics,
    labelSelector: shardSelector(options.shard),
    selects: (object: KubeObject) => isInShard(object, options.shard),
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
  };
  const sandboxes = { labelSelector: `${common.labelSelector},${labels.component}=${SANDBOX}` };
  return {
    projects: createReflector({ ...common, resource: resources.projects, indexes: { namespace: namespaceOf } }),
    pools: createReflector({ ...common, resource: resources.pools, indexes: { namespace: namespaceOf } }),
    workflows: createReflector({
      ...common,
      resource: resources.workflows,
      indexes: { project: projectOf, uid: uidOf },
    }),
    tasks: createReflector({
      ...common,
      resource: resources.tasks,
      indexes: {
        workflow: (task: AgentTask) => workflowOf(task)?.uid,
        project: projectOf,
        namespace: namespaceOf,
        openWithWorkspace: openWithWorkspace,
        pod: podsOf,
        job: jobsOf,
      },
    }),
    jobs: createReflector({
      ...common,
      ...sandboxes,
      resource: resources.jobs,
      indexes: { pool: poolOf },
      transform: withoutSpec,
    }),
    pods: createReflector({
      ...common,
      ...sandboxes,
      resource: resources.pods,
      indexes: {
        pool: poolOf,
        job: (pod: Pod) => {
          const job = jobOf(pod);
          return job === undefined ? undefined : `${pod.metadata.namespace}/${job}`;
        },
      },
      transform: slimPod,
    }),
    policies: createReflector({ ...common, ...sandboxes, resource: resources.policies, transform: withoutSpec }),
  };
}
