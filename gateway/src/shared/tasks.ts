import { type AgentTask, API_VERSION, agentTasks, isFinished } from '@millwright/crds';
import type { Kube } from './kube.ts';

type Task = Pick<AgentTask, 'metadata' | 'status'>;
/** The task as the API server has it now. Rejects with KubeError. */
export type ReadTask = (namespace: string, name: string) => Promise<Task>;

/** Reads tasks from the cluster. */
export const kubeTasks =
  (kube: Kube): ReadTask =>
  (namespace, name) =>
    kube.get<AgentTask>(`/apis/${API_VERSION}/namespaces/${namespace}/${agentTasks.plural}/${name}`);

/** Whether an attempt is over, as far as its task tells: another one of this name, finished, or at a later attempt. */
export const isPast = ({ metadata, status }: Task, uid: string, attempt: number): boolean =>
  metadata.uid !== uid || isFinished(status?.phase) || (status?.attempt ?? 0) > attempt;
