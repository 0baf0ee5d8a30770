import type { AgentPool } from '@millwright/crds';
import type { Leadership } from '../leadership.ts';
import { type Controller, soonest, startController } from '../runtime/index.ts';
import { executePool } from './execute.ts';
import { observePool } from './observe.ts';
import { planPool } from './plan.ts';
import { preparePool } from './prepare.ts';
import { retirePool } from './retire.ts';

const WORKERS = 2;

/** Keeps sandboxes in the number that each AgentPool needs. */
export function startPools(leadership: Leadership): Controller {
  const { kube, management, cluster, scheduler, workQueues, draining, now, logger, metrics } = leadership;
  /** Pools by uid and generation whose user, Secret and NetworkPolicy this leader has made sure of. */
  const prepared = new Set<string>();
  const preparedKey = ({ metadata }: AgentPool) => `${metadata.uid}/${metadata.generation}`;

  return startController({
    name: 'agent-pool',
    workers: WORKERS,
    logger,
    metrics,
    reconcile: async (key) => {
      const observed = observePool(key, {
        cluster,
        scheduler,
        workQueues,
        draining,
        prepared: (pool) => prepared.has(preparedKey(pool)),
      });
      if (!observed) return retirePool(key, { kube, cluster, management });
      const plan = planPool(observed, now());
      const again = await executePool(observed.pool, plan.actions, {
        kube,
        cluster,
        settings: leadership.sandbox,
        writeStatus: leadership.writeStatus.pool,
        tell: leadership.tell,
        draining,
        prepare: async (pool) => {
          await preparePool(pool, {
            kube,
            management,
            sandboxAmqpUrl: leadership.sandboxAmqpUrl,
            signingKey: leadership.grants.signingKey,
            reachable: leadership.reachable,
          });
          prepared.add(preparedKey(pool));
        },
      });
      return soonest(again, plan.requeueAfterMs);
    },
  });
}
