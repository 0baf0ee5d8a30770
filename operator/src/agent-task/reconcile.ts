import type { LazyWrites } from '../lazy-writes.ts';
import { type ExecuteTaskOptions, executeTask } from './execute.ts';
import { type ObserveTaskOptions, observeTask } from './observe.ts';
import type { planTask } from './plan.ts';

export interface ReconcileTaskOptions extends ObserveTaskOptions, ExecuteTaskOptions {
  lazy: LazyWrites;
  plan: typeof planTask;
}

/**
 * One pass for the task of a name. There is one at a time per name, and one after each change, so what it finds remembered of a task that is
 * no more, its own last pass or a message may have left there: that goes first.
 * @returns milliseconds after which it wishes to be called again, if at all
 */
export async function reconcileTask(key: string, options: ReconcileTaskOptions): Promise<number | undefined> {
  const { cluster, memories, scheduler, workQueues, lazy, now } = options;
  const uid = cluster.tasks.store.get(key)?.metadata.uid;
  memories.forget(key, uid);
  if (scheduler.releaseOthers(key, uid)) workQueues.settled(key);
  const observed = await observeTask(key, options);
  if (!observed) {
    lazy.clear(`AgentTask/${key}`);
    return undefined;
  }
  const plan = options.plan(observed, now());
  const again = await executeTask(observed.task, plan.actions, options);
  const ms = Math.min(again ?? Number.POSITIVE_INFINITY, plan.requeueAfterMs ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(ms) ? ms : undefined;
}
