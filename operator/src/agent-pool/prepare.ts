import { createHmac } from 'node:crypto';
import { type Management, poolPermissions, poolTopicPermissions, poolUser } from '@millwright/broker';
import { type AgentPool, API_VERSION } from '@millwright/crds';
import { type Cluster, resources } from '../cluster.ts';
import {
  type Draft,
  defineResource,
  isNotFound,
  type KubeClient,
  type KubeObject,
  type ResourceType,
} from '../runtime/index.ts';
import { poolSecretName } from './job.ts';
import { type Reachable, sandboxNetworkPolicy } from './network-policy.ts';

interface Secret extends KubeObject {
  kind: 'Secret';
  type: string;
  /** Base64. */
  data: Record<string, string>;
}

const secrets = defineResource<Secret>({
  group: '',
  version: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
});

export interface PrepareOptions {
  kube: Pick<KubeClient, 'create' | 'patch'>;
  cluster: Pick<Cluster, 'policies'>;
  management: Pick<Management, 'ensureUser'>;
  /** Broker URL as sandboxes reach it, without user and password. */
  sandboxAmqpUrl: string;
  signingKey: string;
  reachable: Reachable;
}

/**
 * Gives a pool what its sandboxes need before they start: a broker user limited to the pool, a Secret with its URL, a NetworkPolicy. What is
 * there is made as it should be, and nothing changes when it is so already. The password is derived, so every leader makes the same one.
 *
 * @throws ManagementError, KubeError
 */
export async function preparePool(pool: AgentPool, options: PrepareOptions): Promise<void> {
  const { kube, cluster, management, sandboxAmqpUrl, signingKey, reachable } = options;
  const { name, namespace, uid } = pool.metadata;
  const user = poolUser(namespace, name);
  const password = createHmac('sha256', signingKey).update(`pool user\n${uid}`).digest('base64url');
  await management.ensureUser({
    name: user,
    password,
    permissions: poolPermissions(namespace),
    topicPermissions: poolTopicPermissions(namespace),
  });
  const url = new URL(sandboxAmqpUrl);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  const owner = { apiVersion: API_VERSION, kind: 'AgentPool', name, uid, controller: true };
  await put(kube, secrets, {
    metadata: { name: poolSecretName(name), namespace, ownerReferences: [owner] },
    type: 'Opaque',
    data: { url: Buffer.from(url.href).toString('base64') },
  });
  // Known at once, so that the watch which brings it back says nothing new.
  cluster.policies.store.applyWrite(await put(kube, resources.policies, sandboxNetworkPolicy(pool, reachable)));
}

/**
 * Makes an object what the draft says, or creates it. A JSON patch, since a merge would keep what others have put into a selector, and the
 * owner of an object that was made for an earlier pool of that name, with which garbage collection would take it away.
 */
async function put<T extends KubeObject>(
  kube: PrepareOptions['kube'],
  resource: ResourceType<T>,
  draft: Draft<T>,
): Promise<T> {
  const { metadata, ...content } = draft as Draft<KubeObject>;
  const { name = '', namespace = '', labels, ownerReferences } = metadata;
  const patch = [
    ...Object.entries({ labels, ownerReferences }).map(([key, value]) => ({ path: `/metadata/${key}`, value })),
    ...Object.entries(content).map(([key, value]) => ({ path: `/${key}`, value })),
  ].flatMap((field) => (field.value === undefined ? [] : { op: 'add', ...field }));
  try {
    return await kube.patch(resource, { namespace, name }, patch, { type: 'json' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return kube.create(resource, draft);
  }
}
