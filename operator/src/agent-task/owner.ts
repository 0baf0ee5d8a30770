import { type AgentTask, GROUP, labels, type ObjectMeta } from '@millwright/crds';

/** The Workflow that a task belongs to: by its ownerReference, which the garbage collector goes by too. Labels are anybody's to set. */
export function workflowOf({
  metadata,
}: {
  metadata: Pick<ObjectMeta, 'ownerReferences'>;
}): { uid: string; name: string } | undefined {
  return metadata.ownerReferences?.find(
    ({ kind, apiVersion }) => kind === 'Workflow' && apiVersion.startsWith(`${GROUP}/`),
  );
}

/** What people call it: the name in its Workflow, or its own. */
export const taskNameOf = (task: Pick<AgentTask, 'metadata'>): string =>
  (workflowOf(task) && task.metadata.labels?.[labels.task]) ?? task.metadata.name;
