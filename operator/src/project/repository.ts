import {
  type AgentTask,
  type Condition,
  conditionTypes,
  type Project,
  type ProjectStatus,
  reasons,
} from '@millwright/crds';

/** Whether the repository of a Project can be read, as far as anybody has looked. */
export const reachableOf = (status: ProjectStatus | undefined): Condition | undefined =>
  status?.conditions?.find(({ type }) => type === conditionTypes.RepositoryReachable);

/** Verdicts that stay until somebody corrects something: an attempt would only find the same. */
const lasting: ReadonlySet<string> = new Set([
  reasons.RepositoryNotFound,
  reasons.RepositoryUnusable,
  reasons.UnknownHost,
  reasons.CredentialsMissing,
  reasons.CredentialsRefused,
  reasons.BranchNotFound,
]);

/**
 * Why a task cannot start from the repository of its Project, in the words of the git host that looked. A verdict on an earlier spec counts
 * until there is one on the present spec, which takes a moment: who corrects a URL may be wrong again.
 */
export function repositoryObstacle(
  { status }: Project,
  { spec }: AgentTask,
): Pick<Condition, 'reason' | 'message'> | undefined {
  const reachable = reachableOf(status);
  if (reachable?.status !== 'False' || !lasting.has(reachable.reason)) return undefined;
  if (reachable.reason === reasons.BranchNotFound && spec.revision !== undefined) return undefined;
  // With the result of another task, the git host has the commit that the Workflow starts from: the forge is not asked.
  if ((spec.dependencies ?? []).length > 0) return undefined;
  return { reason: reachable.reason, message: reachable.message };
}
