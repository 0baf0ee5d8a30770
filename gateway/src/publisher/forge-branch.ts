import type { EffectFailure, PublishBranchMessage } from '@millwright/crds';
import { type ForgeFailure, forgeFailure } from '../shared/forge-failure.ts';
import { GitError, git } from '../shared/git-command.ts';
import type { ProjectSource } from '../shared/projects.ts';
import { LeaseLost, PublishFailure } from './failure.ts';

/** Looking moves next to nothing: a forge that needs longer is not well. */
const LOOK_TIMEOUT_MS = 30_000;

/** One branch of a forge. All functions throw PublishFailure. */
export interface ForgeBranch {
  /** The commit it points to; '' when there is no such branch. */
  head(): Promise<string>;
  /** Throws unless `head`, as it was seen, may be replaced; LeaseLost when it is not there any more. */
  requireOurs(head: string, scratch: string): Promise<void>;
  /** Moves it from `head` to `commit`, which the scratch repository has, and from nowhere else: LeaseLost. */
  push(head: string, commit: string, scratch: string): Promise<void>;
}

function remedyFor({ kind, retryable }: ForgeFailure): EffectFailure {
  if (retryable) return 'temporary';
  return kind === 'credentials' || kind === 'forbidden' ? 'credentials' : 'permanent';
}

/** @param left milliseconds left for all of it; throws when there are none */
export function forgeBranch(
  from: ProjectSource,
  { branch, replaces }: Pick<PublishBranchMessage, 'branch' | 'replaces'>,
  left: () => number,
): ForgeBranch {
  const ref = `refs/heads/${branch}`;

  async function onForge(args: readonly string[], timeoutMs: number, cwd?: string): Promise<string> {
    try {
      return await git(args, {
        cwd,
        login: from.credentials ? { url: from.url, credentials: from.credentials } : undefined,
        timeoutMs,
      });
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      const failure = forgeFailure(error);
      throw new (failure.kind === 'moved' ? LeaseLost : PublishFailure)(remedyFor(failure), failure.message, error);
    }
  }

  return {
    async head() {
      const timeoutMs = Math.min(left(), LOOK_TIMEOUT_MS);
      const found = await onForge(['ls-remote', '--quiet', '--', from.url, ref], timeoutMs);
      return (
        found
          .split('\n')
          .find((line) => line.endsWith(`\t${ref}`))
          ?.split('\t')[0] ?? ''
      );
    },
    async requireOurs(head, scratch) {
      const fetched = `+${ref}:refs/published/head`;
      await onForge(['fetch', '--quiet', '--no-write-fetch-head', '--', from.url, fetched], left(), scratch);
      const said = await git(['show', '--no-patch', '--format=%ce%n%B', head, '--'], { cwd: scratch }).catch(
        (error: unknown) => {
          throw new LeaseLost('temporary', `${branch} moved while it was looked at`, error);
        },
      );
      const [committer, ...lines] = said.split('\n').map((line) => line.trim());
      if (committer === replaces.committer && replaces.lines.every((line) => lines.includes(line))) return;
      throw new PublishFailure(
        'permanent',
        `${branch} on the forge points to ${head.slice(0, 12)}, which is not marked as this Workflow's commit and may be somebody's work: rename or delete that branch on the forge, or run the Workflow under another name`,
      );
    },
    async push(head, commit, scratch) {
      const lease = `--force-with-lease=${ref}:${head}`;
      await onForge(['push', '--porcelain', '--no-verify', lease, '--', from.url, `${commit}:${ref}`], left(), scratch);
    },
  };
}
