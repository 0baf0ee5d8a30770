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
  reasons.CredentialsMissing,
  reasons.CredentialsRefused,
  reasons.BranchNotFound,
  reasons.PolicyInvalid,
]);

/**
 * Why a task cannot start from the repository of its Project, in the words of the git host that looked. A verdict on an earlier spec counts
 * until there is one on the present spec, which takes a moment: who corrects a URL may be wrong again.
 */
export function repositoryObstacle(
  project: Project,
  { spec, status }: AgentTask,
): Pick<Condition, 'reason' | 'message'> | undefined {
  const verdict = lastingVerdict(project);
  if (!verdict || (verdict.reason === reasons.BranchNotFound && spec.revision !== undefined)) return undefined;
  // With the result of another task, or after an attempt, the git host has the commit that it starts from: the forge is not asked.
  if ((spec.dependencies ?? []).length > 0 || (status?.attempt ?? 1) > 1) return undefined;
  return verdict;
}

/** What somebody has to correct about the repository, whatever other verdicts say of a forge that is away. */
export function lastingVerdict({ status }: Pick<Project, 'status'>): Pick<Condition, 'reason' | 'message'> | undefined {
  const reachable = reachableOf(status);
  if (reachable?.status !== 'False' || !lasting.has(reachable.reason)) return undefined;
  return { reason: reachable.reason, message: reachable.message };
}
