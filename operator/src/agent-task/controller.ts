import type { Leadership } from '../leadership.ts';
import { type Controller, soonest, startController } from '../runtime/index.ts';
import { planTask } from './plan.ts';
import { reconcileTask } from './reconcile.ts';

const WORKERS = 16;

/** Brings AgentTasks to their end: observe, plan, execute. */
export function startTasks(leadership: Leadership): Controller {
  const options = {
    ...leadership,
    plan: planTask,
    random: Math.random,
    listeningSince: () => leadership.listeningSince,
    writeStatus: leadership.writeStatus.task,
    settings: leadership.grants,
    announceQueue: leadership.announce.queue,
  };
  return startController({
    name: 'agent-task',
    workers: WORKERS,
    logger: leadership.logger,
    metrics: leadership.metrics,
    reconcile: async (key) => soonest(await reconcileTask(key, options)),
  });
}
