import type { Leadership } from '../leadership.ts';
import { type Controller, soonest, startController } from '../runtime/index.ts';
import { executePool } from './execute.ts';
import { observePool } from './observe.ts';
import { planPool } from './plan.ts';
import { LOOK_AGAIN_MS } from './preparations.ts';
import { preparePool } from './prepare.ts';
import { retirePool } from './retire.ts';

const WORKERS = 2;

/** Keeps sandboxes in the number that each AgentPool needs. */
export function startPools(leadership: Leadership): Controller {
  const { kube, management, cluster, scheduler, workQueues, draining, preparations, troubles, now, logger, metrics } =
    leadership;
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
        settings: leadership.sandbox,
        draining,
        preparation: (pool) => preparations.state(pool, now()),
        troubles,
        now,
      });
      if (!observed) {
        preparations.forget(key);
        troubles.forget(key);
        return retirePool(key, { kube, cluster, management, drain: leadership.announce.drain });
      }
      const plan = planPool(observed, now());
      const again = await executePool(observed.pool, plan.actions, {
        kube,
        cluster,
        settings: leadership.sandbox,
        writeStatus: leadership.writeStatus.pool,
        tell: leadership.tell,
        draining,
        now,
        prepare: (pool) =>
          preparations.make(pool, now(), () =>
            preparePool(pool, {
              kube,
              cluster,
              management,
              sandboxAmqpUrl: leadership.sandboxAmqpUrl,
              signingKey: leadership.grants.signingKey,
              reachable: leadership.reachable,
            }),
          ),
      });
      return soonest(again, plan.requeueAfterMs, LOOK_AGAIN_MS);
    },
  });
}
