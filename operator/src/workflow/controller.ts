import type { Workflow } from '@millwright/crds';
import type { Leadership } from '../leadership.ts';
import { type Controller, keyOf, soonest, startController } from '../runtime/index.ts';
import { executeWorkflow } from './execute.ts';
import { type DagCache, observeWorkflow } from './observe.ts';
import { planWorkflow } from './plan.ts';

const WORKERS = 16;

/** Brings Workflows to their end. `forget` is for those that are deleted. */
export function startWorkflows(leadership: Leadership): Controller & { forget(workflow: Workflow): void } {
  const { kube, cluster, lazy, now, logger, metrics, enqueue } = leadership;
  const dags: DagCache = new Map();
  const controller = startController({
    name: 'workflow',
    workers: WORKERS,
    logger,
    metrics,
    reconcile: async (key) => {
      const observed = observeWorkflow(key, cluster, dags);
      if (!observed) return;
      const plan = planWorkflow(observed, now());
      const again = await executeWorkflow(observed.workflow, plan.actions, {
        kube,
        cluster,
        writeStatus: leadership.writeStatus.workflow,
        enqueueTask: (task) => enqueue('task', task),
      });
      return soonest(again, plan.requeueAfterMs);
    },
  });
  return {
    ...controller,
    forget(workflow) {
      dags.delete(workflow.metadata.uid);
      lazy.clear(`Workflow/${keyOf(workflow)}`);
    },
  };
}
