import {
  type AgentPool,
  type AgentTask,
  agentPools,
  agentTasks,
  type Project,
  projects,
  type Workflow,
  workflows,
} from '@millwright/crds';
import {
  defineResource,
  type KubeClient,
  type KubeObject,
  pathOf,
  type ResourceType,
} from '@millwright/operator/runtime';

export interface Deployment extends KubeObject {
  kind: 'Deployment';
  spec: {
    replicas?: number;
    selector: { matchLabels: Record<string, string> };
    template: { spec: { containers: { env?: { name: string; value?: string }[] }[] } };
  };
}

export const resources = {
  projects: defineResource<Project>(projects),
  pools: defineResource<AgentPool>(agentPools),
  workflows: defineResource<Workflow>(workflows),
  tasks: defineResource<AgentTask>(agentTasks),
  namespaces: defineResource<KubeObject & { kind: 'Namespace' }>({
    group: '',
    version: 'v1',
    plural: 'namespaces',
    kind: 'Namespace',
    namespaced: false,
  }),
  secrets: defineResource<KubeObject & { data: Record<string, string> }>({
    group: '',
    version: 'v1',
    plural: 'secrets',
    kind: 'Secret',
    namespaced: true,
  }),
  pods: defineResource<KubeObject & { kind: 'Pod' }>({
    group: '',
    version: 'v1',
    plural: 'pods',
    kind: 'Pod',
    namespaced: true,
  }),
  deployments: defineResource<Deployment>({
    group: 'apps',
    version: 'v1',
    plural: 'deployments',
    kind: 'Deployment',
    namespaced: true,
  }),
};

/** Deletes every object of a resource in a namespace; the API server does it one by one, and gives up after a minute. */
export async function deleteAll(
  kube: KubeClient,
  resource: ResourceType<KubeObject>,
  namespace: string,
  labelSelector?: string,
): Promise<void> {
  const query = new URLSearchParams({ propagationPolicy: 'Background', ...(labelSelector ? { labelSelector } : {}) });
  const path = `${pathOf(resource, { namespace })}?${query}`;
  for (;;) {
    const left = await kube.list(resource, { namespace, limit: 1, ...(labelSelector ? { labelSelector } : {}) });
    if (left.items.length === 0) return;
    await kube.raw({ method: 'DELETE', path, timeoutMs: 120_000 }).catch((error: unknown) => {
      if ((error as { status?: number }).status !== 504) throw error;
    });
  }
}
