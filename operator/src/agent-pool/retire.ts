import { type Management, poolUser } from '@millwright/broker';
import { type Cluster, resources } from '../cluster.ts';
import { isNotFound, type KubeClient } from '../runtime/index.ts';

export interface RetireOptions {
  kube: Pick<KubeClient, 'get'>;
  cluster: Pick<Cluster, 'pods'>;
  management: Pick<Management, 'deleteUser'>;
  /** Sends the pool's agents home. */
  drain: (namespace: string, pool: string) => Promise<void>;
}

/**
 * Takes a deleted pool's access to the broker away, as soon as no sandbox is left that could still report. Idempotent; the end of each of its
 * pods asks for it again.
 *
 * @param key namespace and name of a pool that is not in the cache
 */
export async function retirePool(key: string, { kube, cluster, management, drain }: RetireOptions): Promise<void> {
  const [namespace = '', name = ''] = key.split('/');
  // Without a pool nothing counts them: they would idle until their deadline.
  if (cluster.pods.store.keysBy('pool', key).length > 0) return drain(namespace, name);
  // It may have gone to another shard, or be younger than the cache.
  const pool = await kube.get(resources.pools, { namespace, name }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (!pool) await management.deleteUser(poolUser(namespace, name));
}
