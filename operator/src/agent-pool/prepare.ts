import { createHmac } from 'node:crypto';
import { type Management, poolPermissions, poolTopicPermissions, poolUser } from '@millwright/broker';
import { type AgentPool, API_VERSION } from '@millwright/crds';
import { defineResource, isAlreadyExists, type KubeClient, type KubeObject } from '../runtime/index.ts';
import { poolSecretName } from './job.ts';
import { networkPolicies, type Reachable, sandboxNetworkPolicy } from './network-policy.ts';

interface Secret extends KubeObject {
  kind: 'Secret';
  type: string;
  stringData: Record<string, string>;
}

const secrets = defineResource<Secret>({
  group: '',
  version: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
});

export interface PrepareOptions {
  kube: KubeClient;
  management: Management;
  /** Broker URL as sandboxes reach it, without user and password. */
  sandboxAmqpUrl: string;
  signingKey: string;
  reachable: Reachable;
}

/**
 * Gives a pool what its sandboxes need before they start: a broker user limited to the pool, a Secret with its URL, a NetworkPolicy.
 * Idempotent: the password is derived, so every leader makes the same one.
 */
export async function preparePool(pool: AgentPool, options: PrepareOptions): Promise<void> {
  const { kube, management, sandboxAmqpUrl, signingKey, reachable } = options;
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
  await ensure(
    () =>
      kube.create(secrets, {
        metadata: { name: poolSecretName(name), namespace, ownerReferences: [owner] },
        type: 'Opaque',
        stringData: { url: url.href },
      }),
    () => kube.patch(secrets, { namespace, name: poolSecretName(name) }, { stringData: { url: url.href } }),
  );
  const policy = sandboxNetworkPolicy(pool, reachable);
  await ensure(
    () => kube.create(networkPolicies, policy),
    () => kube.patch(networkPolicies, { namespace, name: policy.metadata.name ?? '' }, { spec: policy.spec }),
  );
}

async function ensure(create: () => Promise<unknown>, update: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await update();
  }
}
