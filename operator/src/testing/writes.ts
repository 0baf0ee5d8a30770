import type { AgentTask, Workflow, WorkflowStatus, WorkflowTask } from '@millwright/crds';
import { draftTask, type TaskDraft } from '../workflow/children.ts';
import { progressStatus } from '../workflow/status.ts';

export { finished, running } from '../agent-task/status.ts';

/** The AgentTask that the operator creates for a task, if none of those before it has produced a commit. */
export const draftOf = (workflow: Workflow, task: WorkflowTask): TaskDraft =>
  draftTask(workflow, { task, dependsOn: task.dependsOn ?? [] }, new Map());

/** The status that the operator writes when all tasks of a Workflow have ended. */
export function endOf(workflow: Workflow, children: readonly AgentTask[], now: number): WorkflowStatus {
  const states = new Map(children.map((child) => [child.metadata.name, { state: 'ended', child } as const]));
  return progressStatus(workflow, { states, sinks: [], open: false, created: 0 }, now).status;
}
