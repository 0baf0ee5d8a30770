import { type Management, poolUser } from '@millwright/broker';
import type { Cluster } from '../cluster.ts';

/**
 * Takes a deleted pool's access to the broker away, as soon as no sandbox is left that could still report. Idempotent; the end of each of its
 * pods asks for it again.
 *
 * @param key namespace and name of the pool
 */
export async function retirePool(
  key: string,
  { cluster, management }: { cluster: Pick<Cluster, 'pods'>; management: Pick<Management, 'deleteUser'> },
): Promise<void> {
  if (cluster.pods.store.keysBy('pool', key).length > 0) return;
  const [namespace = '', name = ''] = key.split('/');
  await management.deleteUser(poolUser(namespace, name));
}
