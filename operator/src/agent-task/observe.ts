import type { AgentTask, Workflow } from '@millwright/crds';
import type { Trouble, Troubles } from '../agent-pool/troubles.ts';
import type { Cluster, Pod } from '../cluster.ts';
import { resources } from '../cluster.ts';
import { isNotFound, type KubeClient } from '../runtime/index.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import { endingOf } from '../workflow/ending.ts';
import type { TaskMemories } from './memory.ts';
import type { Owner, PublishedWork, Sandbox, TaskObservation } from './observation.ts';
import { workflowOf } from './owner.ts';
import { attemptOf } from './status.ts';

export interface ObserveTaskOptions {
  kube: KubeClient;
  cluster: Cluster;
  memories: TaskMemories;
  scheduler: Scheduler;
  troubles: Troubles;
  draining: ReadonlySet<string>;
  epoch: () => number;
  /** Milliseconds since the epoch. */
  now: () => number;
  random: () => number;
  /** Since when messages reach this process, in milliseconds since the epoch; undefined: they do not. */
  listeningSince: () => number | undefined;
}

/** Reads everything the plan for a task may look at; undefined when the task does not exist. */
export async function observeTask(key: string, options: ObserveTaskOptions): Promise<TaskObservation | undefined> {
  const { cluster, memories, scheduler } = options;
  const task = cluster.tasks.store.get(key);
  if (!task) return undefined;
  const { namespace } = task.metadata;
  const project = cluster.projects.store.get(`${namespace}/${task.spec.projectRef.name}`);
  const owner = await observeOwner(task, options);
  const memory = memories.peek(task.metadata);
  const sandbox = observeSandbox(task, options);
  const listeningSince = options.listeningSince();
  const trouble = memory?.published.work && observeStart(task, memory.published.work, options);
  return {
    task,
    ...(project ? { project } : {}),
    ...(owner ? { owner } : {}),
    pools: cluster.pools.store.by('namespace', namespace),
    place: scheduler.place(key),
    inbox: memories.inbox(task.metadata),
    published: memory?.published ?? {},
    ...(trouble ? { trouble } : {}),
    ...(sandbox ? { sandbox } : {}),
    ...(listeningSince === undefined ? {} : { listeningSince }),
    ...(memory?.lastHeartbeatAt === undefined ? {} : { lastHeartbeatAt: memory.lastHeartbeatAt }),
    ...(memory?.cancelSentAt === undefined ? {} : { cancelSentAt: memory.cancelSentAt }),
    draining: options.draining,
    random: options.random(),
    epoch: options.epoch(),
  };
}

/** The cache may not have a Workflow yet that its task has; only a live read can say that it is gone. */
async function observeOwner(task: AgentTask, { kube, cluster, now }: ObserveTaskOptions): Promise<Owner | undefined> {
  const owner = workflowOf(task);
  if (!owner) return undefined;
  const { uid, name } = owner;
  const { namespace } = task.metadata;
  let workflow: Workflow | undefined = cluster.workflows.store.get(`${namespace}/${name}`);
  if (workflow?.metadata.uid !== uid) {
    workflow = await kube.get(resources.workflows, { namespace, name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (workflow) cluster.workflows.store.applyWrite(workflow);
  }
  if (workflow?.metadata.uid !== uid || workflow.metadata.deletionTimestamp)
    return { uid, name, gone: true, suspended: false };
  const ending = endingOf(workflow, now());
  return { uid, name, gone: false, suspended: workflow.spec.suspend, ...(ending ? { ending } : {}) };
}

function observeStart(task: AgentTask, work: PublishedWork, { troubles }: ObserveTaskOptions): Trouble | undefined {
  const { phase, verifier } = task.status ?? {};
  const waitsFor = phase === 'Running' || verifier ? undefined : phase === 'Verifying' ? 'verify' : 'run';
  if (work.kind !== waitsFor || work.attempt !== attemptOf(task)) return undefined;
  return troubles.of(work.pool, work.key.image);
}

/** The pod that holds the grant of the current phase. */
function observeSandbox(task: AgentTask, { cluster, memories, now }: ObserveTaskOptions): Sandbox | undefined {
  const { phase, agent, verifier } = task.status ?? {};
  const holder = phase === 'Running' ? agent : phase === 'Verifying' ? verifier : undefined;
  if (!holder) return undefined;
  const { namespace } = task.metadata;
  const pool = cluster.pools.store.get(`${namespace}/${holder.pool}`);
  if (pool?.spec.external) return { state: 'external', confirmed: true };
  const pod = cluster.pods.store.get(`${namespace}/${holder.pod}`);
  const state = podState(pod);
  const memory = memories.of(task.metadata);
  if (state === 'alive') {
    delete memory.gone;
    return { state, confirmed: true };
  }
  if (memory.gone?.pod !== holder.pod) memory.gone = { pod: holder.pod, since: now(), confirmed: false };
  const why = pod ? whyEnded(pod) : {};
  return { state, confirmed: memory.gone.confirmed, goneSince: memory.gone.since, ...why };
}

/** Whether a pod can still be at work. */
export function podState(pod: Pod | undefined): 'alive' | 'ended' | 'missing' {
  if (!pod) return 'missing';
  return pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded' ? 'ended' : 'alive';
}

function whyEnded({ status }: Pod): { reason?: string; message?: string } {
  const terminated = status?.containerStatuses?.find((c) => (c.state?.terminated?.exitCode ?? 0) !== 0);
  const disruption = status?.conditions?.find((c) => c.type === 'DisruptionTarget' && c.status === 'True');
  const reason = status?.reason ?? disruption?.reason ?? terminated?.state?.terminated?.reason;
  const message =
    status?.message ??
    disruption?.message ??
    (terminated
      ? `container ${terminated.name} exited with ${terminated.state?.terminated?.exitCode} (${terminated.state?.terminated?.reason ?? 'unknown'})`
      : undefined);
  return { ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
}
