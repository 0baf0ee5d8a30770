import {
  type AgentPool,
  isFinished,
  labels,
  type MillwrightResource,
  type Project,
  type Workflow,
} from '@millwright/crds';
import { podState } from './agent-task/observe.ts';
import { workflowOf } from './agent-task/owner.ts';
import type { Cluster, Pod } from './cluster.ts';
import type { Leadership } from './leadership.ts';
import { lastingVerdict } from './project/repository.ts';
import { type KubeObject, keyOf } from './runtime/index.ts';
import type { Scheduler } from './scheduler/scheduler.ts';

export interface EventWiring {
  cluster: Cluster;
  scheduler: Scheduler;
  enqueue: Leadership['enqueue'];
  record: (object: MillwrightResource, deleted: boolean) => void;
  /** Capabilities, image or scale of a pool changed: its agents may have other queues to consume. */
  poolChanged: (pool: AgentPool) => void;
  workflowGone: (workflow: Workflow) => void;
  podGone: (pod: Pod) => void;
  /** Somebody else has changed or deleted the NetworkPolicy of a pool. */
  policyTouched: (pool: string) => void;
}

const specChanged = (old: KubeObject | undefined, next: KubeObject | undefined): boolean =>
  old?.metadata.uid !== next?.metadata.uid ||
  old?.metadata.generation !== next?.metadata.generation ||
  old?.metadata.deletionTimestamp !== next?.metadata.deletionTimestamp;

const obstacleOf = (project: Project | undefined): string | undefined => project && lastingVerdict(project)?.message;

/** What is no more: deleted, or deleted and made anew under its name while nobody looked. */
const goneOf = <T extends KubeObject>(old: T | undefined, next: T | undefined): T | undefined =>
  old?.metadata.uid === next?.metadata.uid ? undefined : old;

/** Who is to be looked at again when something changes. Handlers only enqueue keys. Returns a function that ends it. */
export function connectEvents(wiring: EventWiring): () => void {
  const { cluster, scheduler, enqueue, record } = wiring;
  const ends = [
    cluster.tasks.store.onChange((old, next, cause) => {
      const task = next ?? old;
      if (!task) return;
      const gone = goneOf(old, next);
      if (gone) record(gone, true);
      if (next && next.metadata.uid !== old?.metadata.uid && cause !== 'list') record(next, false);
      if (!isFinished(next?.status?.phase) || !isFinished(old?.status?.phase) || specChanged(old, next))
        enqueue('task', keyOf(task));
      const workflow = workflowOf(task)?.name;
      const moved = old?.status?.phase !== next?.status?.phase || old?.status?.reason !== next?.status?.reason;
      if (workflow !== undefined && (moved || !old || !next))
        enqueue('workflow', `${task.metadata.namespace}/${workflow}`);
      for (const holder of [next?.status?.agent, next?.status?.verifier])
        if (holder && moved) enqueue('pool', `${task.metadata.namespace}/${holder.pool}`);
    }),
    cluster.workflows.store.onChange((old, next, cause) => {
      const workflow = next ?? old;
      if (!workflow) return;
      const gone = goneOf(old, next);
      if (gone) {
        record(gone, true);
        wiring.workflowGone(gone);
      }
      if (next && next.metadata.uid !== old?.metadata.uid && cause !== 'list') record(next, false);
      if (cause !== 'write' || isFinished(next?.status?.phase)) enqueue('workflow', keyOf(workflow));
      if (!next || specChanged(old, next)) {
        scheduler.refresh();
        if (old) for (const key of cluster.tasks.store.keysBy('workflow', old.metadata.uid)) enqueue('task', key);
      }
      if (old?.status?.phase !== next?.status?.phase)
        enqueue('project', `${workflow.metadata.namespace}/${workflow.spec.projectRef.name}`);
    }),
    cluster.projects.store.onChange((old, next) => {
      const project = next ?? old;
      if (!project) return;
      const key = keyOf(project);
      // Tasks wait for a repository that cannot be read.
      if (specChanged(old, next) || obstacleOf(old) !== obstacleOf(next))
        for (const task of cluster.tasks.store.keysBy('project', key)) enqueue('task', task);
      if (!specChanged(old, next)) return;
      const gone = goneOf(old, next);
      if (gone) record(gone, true);
      if (next) record(next, false);
      enqueue('project', key);
      scheduler.refresh();
      for (const workflow of cluster.workflows.store.keysBy('project', key)) enqueue('workflow', workflow);
      for (const pool of cluster.pools.store.keysBy('namespace', project.metadata.namespace)) enqueue('pool', pool);
    }),
    cluster.pools.store.onChange((old, next) => {
      const pool = next ?? old;
      if (!pool || !specChanged(old, next)) return;
      const gone = goneOf(old, next);
      if (gone) record(gone, true);
      if (next) record(next, false);
      enqueue('pool', keyOf(pool));
      scheduler.refresh();
      for (const task of cluster.tasks.store.by('namespace', pool.metadata.namespace))
        if (!isFinished(task.status?.phase)) enqueue('task', keyOf(task));
      if (next) wiring.poolChanged(next);
    }),
    cluster.jobs.store.onChange((old, next) => enqueueOwner(next ?? old)),
    cluster.pods.store.onChange((old, next) => {
      enqueueOwner(next ?? old);
      const pod: Pod | undefined = next ?? old;
      if (pod && !next) wiring.podGone(pod);
      if (pod && podState(old) !== podState(next))
        for (const task of cluster.tasks.store.keysBy('pod', keyOf(pod))) enqueue('task', task);
    }),
    cluster.policies.store.onChange((old, next, cause) => {
      if (cause === 'write') return;
      const policy = next ?? old;
      const pool = policy?.metadata.labels?.[labels.pool];
      if (policy && pool !== undefined) wiring.policyTouched(`${policy.metadata.namespace}/${pool}`);
      enqueueOwner(policy);
    }),
  ];
  return () => {
    for (const end of ends) end();
  };

  function enqueueOwner(object: KubeObject | undefined): void {
    const pool = object?.metadata.labels?.[labels.pool];
    if (object && pool !== undefined) enqueue('pool', `${object.metadata.namespace}/${pool}`);
  }
}
