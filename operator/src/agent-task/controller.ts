import type { Leadership } from '../leadership.ts';
import { type Controller, soonest, startController } from '../runtime/index.ts';
import { executeTask } from './execute.ts';
import { observeTask } from './observe.ts';
import { planTask } from './plan.ts';

const WORKERS = 16;

/** Brings AgentTasks to their end: observe, plan, execute. */
export function startTasks(leadership: Leadership): Controller {
  const { kube, broker, cluster, memories, scheduler, workQueues, draining, epoch, now, logger, metrics } = leadership;
  return startController({
    name: 'agent-task',
    workers: WORKERS,
    logger,
    metrics,
    reconcile: async (key) => {
      const observed = await observeTask(key, {
        kube,
        cluster,
        memories,
        scheduler,
        draining,
        epoch,
        now,
        random: Math.random,
        listeningSince: () => leadership.listeningSince,
      });
      if (!observed) return forget(key);
      const plan = planTask(observed, now());
      const again = await executeTask(observed.task, plan.actions, {
        kube,
        broker,
        cluster,
        memories,
        scheduler,
        workQueues,
        writeStatus: leadership.writeStatus.task,
        settings: leadership.grants,
        announceQueue: leadership.announce.queue,
        epoch,
        now,
        logger,
      });
      return soonest(again, plan.requeueAfterMs);
    },
  });

  function forget(key: string): void {
    memories.forget(key);
    scheduler.release(key);
    workQueues.settled(key);
    leadership.lazy.clear(`AgentTask/${key}`);
  }
}
