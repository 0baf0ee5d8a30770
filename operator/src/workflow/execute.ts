import { type AgentTask, labels, type Workflow } from '@millwright/crds';
import { type Cluster, resources } from '../cluster.ts';
import { reporting } from '../refusal.ts';
import { isAlreadyExists, isNotFound, type KubeClient, TerminalError } from '../runtime/index.ts';
import { isInShard } from '../shard.ts';
import type { StatusWriter } from '../status-writer.ts';
import type { WorkflowAction } from './actions.ts';
import type { TaskDraft } from './children.ts';
import { hindered } from './status.ts';

export interface ExecuteWorkflowOptions {
  kube: KubeClient;
  cluster: Cluster;
  writeStatus: StatusWriter<Workflow>;
  enqueueTask: (key: string) => void;
  /** Tasks created at the same time. */
  parallelCreates?: number;
}

/** Runs the actions of a plan in order. Returns a wish to look again, in milliseconds. */
export async function executeWorkflow(
  workflow: Workflow,
  actions: readonly WorkflowAction[],
  options: ExecuteWorkflowOptions,
): Promise<number | undefined> {
  const { kube, cluster, writeStatus, enqueueTask } = options;
  let againMs: number | undefined;
  for (const action of actions) {
    switch (action.do) {
      case 'create':
        await reporting(
          () => createTasks(workflow, action.tasks, options),
          async (words) => {
            const planned = actions.find((other) => other.do === 'status');
            if (planned) await writeStatus(workflow, ...hindered(workflow, planned.status, words));
          },
        );
        break;
      case 'status': {
        const outcome = await writeStatus(workflow, action.status, action);
        if (outcome.state === 'delayed') againMs = outcome.delayMs;
        break;
      }
      case 'notifyTasks':
        for (const key of cluster.tasks.store.keysBy('workflow', workflow.metadata.uid)) enqueueTask(key);
        break;
      case 'delete': {
        const { namespace, name, uid } = workflow.metadata;
        await kube
          .delete(resources.workflows, { namespace, name }, { uid, propagationPolicy: 'Background' })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
        break;
      }
    }
  }
  return againMs;
}

/** A few at a time, so that the first tasks are dispatched while the last are still being created. */
async function createTasks(
  workflow: Workflow,
  drafts: readonly TaskDraft[],
  { kube, cluster, parallelCreates = 16 }: ExecuteWorkflowOptions,
): Promise<void> {
  const queue = drafts.values();
  const worker = async () => {
    for (const draft of queue) cluster.tasks.store.applyWrite(await createTask(workflow, draft, kube));
  };
  await Promise.all(Array.from({ length: Math.min(parallelCreates, drafts.length) }, worker));
}

/** Names are deterministic: one that exists was created by an earlier pass whose answer was lost, and is adopted. */
async function createTask(workflow: Workflow, draft: TaskDraft, kube: KubeClient): Promise<AgentTask> {
  try {
    return await kube.create(resources.tasks, draft);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { namespace } = workflow.metadata;
    const existing = await kube.get(resources.tasks, { namespace, name: draft.metadata.name ?? '' });
    const name = `AgentTask ${namespace}/${existing.metadata.name}`;
    if (!existing.metadata.ownerReferences?.some((owner) => owner.uid === workflow.metadata.uid))
      throw new TerminalError(`${name} exists and belongs to something else: delete it`);
    const shard = workflow.metadata.labels?.[labels.shard];
    if (isInShard(existing, shard)) return existing;
    // Two operators would work on it.
    const label = shard === undefined ? `${labels.shard}-` : `${labels.shard}=${shard} --overwrite`;
    throw new TerminalError(
      `${name} is of another shard than its Workflow: once none of its tasks runs, let them follow with kubectl -n ${namespace} label mtask -l ${labels.workflowUid}=${workflow.metadata.uid} ${label}`,
    );
  }
}
