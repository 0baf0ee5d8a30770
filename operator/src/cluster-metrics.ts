import { type AgentTask, labels, taskPhases, type Workflow, workflowPhases } from '@millwright/crds';
import type { Metrics } from '@millwright/otel';
import { type Cluster, jobOf, type Pod } from './cluster.ts';
import type { Operator } from './operator.ts';

/** How many objects are in each of the phases; all phases are there, so that none is shown as it was when it was last seen. */
function countPhases(phases: readonly string[], objects: Iterable<Workflow | AgentTask>): Map<string, number> {
  const counts = new Map(phases.map((phase) => [phase, 0]));
  for (const { status } of objects) {
    const phase = status?.phase ?? 'Pending';
    counts.set(phase, (counts.get(phase) ?? 0) + 1);
  }
  return counts;
}

const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;

/**
 * Exports, at each scrape, what is in the cluster and what waits for an agent, and measures how long sandboxes take to start. For the leader
 * alone: the others see the same cluster, and sums over all of them would be too high.
 */
export function exportCluster(metrics: Metrics, cluster: Cluster, { unclaimed }: Pick<Operator, 'unclaimed'>): void {
  metrics.gauge('millwright_workflows', (gauge) => {
    for (const [phase, count] of countPhases(workflowPhases, cluster.workflows.store.values()))
      gauge.set({ phase }, count);
  });
  metrics.gauge('millwright_tasks', (gauge) => {
    for (const [phase, count] of countPhases(taskPhases, cluster.tasks.store.values())) gauge.set({ phase }, count);
  });
  metrics.gauge('millwright_queue_messages', (gauge) => {
    gauge.reset();
    for (const { count, ...set } of unclaimed()) gauge.set(set, count);
  });
  metrics.gauge('millwright_sandboxes', (gauge) => {
    gauge.reset();
    for (const { metadata, status } of cluster.pools.store.values())
      for (const state of ['idle', 'busy', 'starting'] as const)
        gauge.set({ namespace: metadata.namespace, pool: metadata.name, state }, status?.[state] ?? 0);
  });
  measureStarts(metrics, cluster);
}

function measureStarts(metrics: Metrics, { jobs, pods }: Cluster): void {
  const starts = metrics.histogram('millwright_sandbox_start_seconds');
  /** Uids: a pod can lose its readiness and get it back. */
  const started = new Set<string>();
  pods.store.onChange((old, next) => {
    if (!next) started.delete(old?.metadata.uid ?? '');
    // What was ready when it was first seen became so at a time that is not known.
    else if (old && !isReady(old) && isReady(next) && !started.has(next.metadata.uid)) {
      const { namespace, uid, creationTimestamp, labels: own } = next.metadata;
      started.add(uid);
      const job = jobs.store.get(`${namespace}/${jobOf(next) ?? ''}`);
      const createdAt = Date.parse(job?.metadata.creationTimestamp ?? creationTimestamp);
      starts.observe({ namespace, pool: own?.[labels.pool] ?? '' }, Math.max(0, (Date.now() - createdAt) / 1000));
    }
  });
}
