import { type ProbeReply, type Reason, reasons } from '@millwright/crds';
import type { Logger } from '@millwright/otel';
import type { Fence } from '../fence/fence.ts';
import { type ForgeFailureKind, forgeFailure } from '../shared/forge-failure.ts';
import { GitError, git } from '../shared/git-command.ts';
import type { ProjectKey } from '../shared/project-key.ts';
import { ProjectError, type ProjectLookup } from '../shared/projects.ts';
import { branchProblem, repositoryProblem } from './repository-problem.ts';

/** Shorter than the operator waits for the answer. */
const TIMEOUT_MS = 15_000;

const reasonOf: Partial<Record<ForgeFailureKind, Reason>> = {
  credentials: reasons.CredentialsRefused,
  forbidden: reasons.CredentialsRefused,
  notFound: reasons.RepositoryNotFound,
  unknownHost: reasons.UnknownHost,
  unsupported: reasons.RepositoryUnusable,
  damaged: reasons.RepositoryUnusable,
};

/** Looks at the policy of a Project, and asks the forge for its default branch, as a fetch would begin. Never throws. */
export async function probeRepository(
  { namespace, project }: ProjectKey,
  lookup: ProjectLookup,
  fence: Pick<Fence, 'problemOf'>,
  log: Logger,
): Promise<ProbeReply> {
  const answer = (status: ProbeReply['status'], reason: Reason, message: string): ProbeReply => ({
    type: 'probed',
    status,
    reason,
    message: message.slice(0, 1024),
  });
  try {
    const source = await lookup(namespace, project);
    const { url, defaultBranch, credentials, policy } = source;
    const wrong = policy && (await fence.problemOf(namespace, policy));
    if (wrong) return answer('False', reasons.PolicyInvalid, wrong);
    const ref = `refs/heads/${defaultBranch}`;
    const found = await git(['ls-remote', '--quiet', '--', url, ref], {
      login: credentials ? { url, credentials } : undefined,
      timeoutMs: TIMEOUT_MS,
    }).catch((error: unknown) => (error instanceof GitError ? error : Promise.reject(error)));
    if (found instanceof GitError) {
      const failure = forgeFailure(found);
      const reason = reasonOf[failure.kind] ?? reasons.RepositoryUnavailable;
      return answer('False', reason, await repositoryProblem(project, source, failure));
    }
    if (found.split('\n').some((line) => line.endsWith(`\t${ref}`))) return answer('True', reasons.Reachable, '');
    return answer('False', reasons.BranchNotFound, await branchProblem(project, source));
  } catch (error) {
    if (error instanceof ProjectError && !error.temporary)
      return answer('False', reasons.CredentialsMissing, error.message);
    log.warn('a repository could not be probed', { namespace, project, error });
    const why = error instanceof ProjectError ? error.message : 'the log of the git host says why';
    return answer('Unknown', reasons.NotProbed, `the git host could not look: ${why}`);
  }
}
