import { hash } from 'node:crypto';
import type { AgentTask, TaskIdentity } from '@millwright/crds';
import { taskNameOf, workflowOf } from './owner.ts';

/**
 * Name of the AgentTask for a task of a Workflow: deterministic, so that creating it twice finds the first, and bound to the Workflow's
 * uid, so that a Workflow made anew under an old name never adopts tasks of its predecessor.
 */
export function taskObjectName(workflow: { name: string; uid: string }, task: string): string {
  return `${workflow.name}-${task}-${hash('sha256', `${workflow.uid}/${task}`, 'hex').slice(0, 6)}`;
}

/** The ref a sandbox pushes an attempt's commit to. */
export const attemptRef = (taskUid: string, attempt: number): string => `refs/attempts/${taskUid}/${attempt}`;

/** The ref that the git host pins to one commit for all tasks of a Workflow. */
export const baseRef = (workflowUid: string): string => `refs/workflows/${workflowUid}/base`;

/** The branch that the task's commit is published on; tasks without a Workflow share the folder `tasks`. */
export const branchOf = (task: AgentTask): string =>
  `ai/generated/${workflowOf(task)?.name ?? 'tasks'}/${taskNameOf(task)}`;

/**
 * Trailers of the task's commits that say which Workflow of which namespace they are for, and on which branch: by these the publisher knows
 * a head that it may replace.
 */
export const originOf = (task: AgentTask): string[] => [
  `Millwright-Workflow: ${task.metadata.namespace}/${workflowOf(task)?.name ?? '-'}`,
  `Millwright-Branch: ${branchOf(task)}`,
];

export const identityOf = (object: { metadata: { uid: string; namespace: string; name: string } }): TaskIdentity => ({
  uid: object.metadata.uid,
  namespace: object.metadata.namespace,
  name: object.metadata.name,
});
