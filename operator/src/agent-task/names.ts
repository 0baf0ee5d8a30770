import { hash } from 'node:crypto';
import type { TaskIdentity } from '@millwright/crds';

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

/** The published branch. */
export const branchName = (workflow: string, task: string): string => `ai/generated/${workflow}/${task}`;

export const identityOf = (object: { metadata: { uid: string; namespace: string; name: string } }): TaskIdentity => ({
  uid: object.metadata.uid,
  namespace: object.metadata.namespace,
  name: object.metadata.name,
});
