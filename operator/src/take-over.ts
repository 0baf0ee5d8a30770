import { isFinished } from '@millwright/crds';
import { workflowOf } from './agent-task/owner.ts';
import type { Leadership } from './leadership.ts';
import { keyOf } from './runtime/index.ts';
import { traceTaskAgain, traceWorkflow } from './tracing.ts';

/** Spans of what ended this long before a restart are emitted again, in case the end of the process came between. */
const REPEAT_SPANS_MS = 120_000;

/** Slots of tasks that are at work are taken before anybody else is admitted. */
export function occupySlots({ cluster, scheduler }: Pick<Leadership, 'cluster' | 'scheduler'>): void {
  for (const task of cluster.tasks.store.values()) {
    const { phase, agent, verifier, publishing } = task.status ?? {};
    // One that only waits for its forge has given its slot back.
    if ((phase !== 'Running' && phase !== 'Verifying') || publishing) continue;
    const holder = phase === 'Verifying' ? (verifier ?? agent) : agent;
    const workflow = workflowOf(task)?.uid;
    scheduler.occupy({
      key: keyOf(task),
      uid: task.metadata.uid,
      project: `${task.metadata.namespace}/${task.spec.projectRef.name}`,
      ...(workflow === undefined ? {} : { workflow }),
      pool: `${task.metadata.namespace}/${holder?.pool ?? ''}`,
    });
  }
}

/** Says once more what the leader before may not have said: to traces, and to the history. */
export function repeatReports({ cluster, telemetry, history, now }: Leadership): void {
  const isRecent = (at: string | undefined) => now() - Date.parse(at ?? '') < REPEAT_SPANS_MS;
  for (const workflow of cluster.workflows.store.values())
    if (isRecent(workflow.status?.finishedAt)) traceWorkflow(telemetry, workflow);
  for (const task of cluster.tasks.store.values())
    if (isRecent(task.status?.history?.at(-1)?.finishedAt)) traceTaskAgain(telemetry, task, cluster.pods.store);
  for (const { store } of [cluster.projects, cluster.pools, cluster.workflows, cluster.tasks])
    for (const object of store.values()) history.repeat(object);
}

/** Has everything looked at that is there; a finished task needs nothing more unless it stands alone and goes by itself. */
export function enqueueAll({ cluster, enqueue }: Pick<Leadership, 'cluster' | 'enqueue'>): void {
  for (const task of cluster.tasks.store.values())
    if (!isFinished(task.status?.phase) || !workflowOf(task)) enqueue('task', keyOf(task));
  for (const workflow of cluster.workflows.store.values()) enqueue('workflow', keyOf(workflow));
  for (const pool of cluster.pools.store.values()) enqueue('pool', keyOf(pool));
  for (const project of cluster.projects.store.values()) enqueue('project', keyOf(project));
}
