import { parsePoolUser } from '@millwright/broker';
import type { Leadership } from '../leadership.ts';
import { type Controller, startController } from '../runtime/index.ts';

const HOUR_MS = 60 * 60_000;
const KEY = 'users';

export type SweepOptions = Pick<Leadership, 'management' | 'cluster' | 'watchNamespace' | 'enqueue'>;

/**
 * Has pools looked at that were deleted while no operator ran: the broker still has their users, and looking at a pool that is gone retires it.
 * Users of other virtual hosts are another operator's, and so are those of namespaces that this one does not watch.
 */
export async function sweepPoolUsers({ management, cluster, watchNamespace, enqueue }: SweepOptions): Promise<void> {
  for (const user of await management.listUsers()) {
    const of = parsePoolUser(user);
    if (!of || (watchNamespace !== undefined && of.namespace !== watchNamespace)) continue;
    const key = `${of.namespace}/${of.pool}`;
    if (!cluster.pools.store.get(key)) enqueue('pool', key);
  }
}

/** Sweeps at the beginning of a term, and every hour. */
export function startSweep(leadership: Leadership): Controller {
  const controller = startController({
    name: 'pool-users',
    workers: 1,
    logger: leadership.logger,
    metrics: leadership.metrics,
    reconcile: async () => {
      await sweepPoolUsers(leadership);
      return { requeueAfterMs: HOUR_MS };
    },
  });
  controller.enqueue(KEY);
  return controller;
}
