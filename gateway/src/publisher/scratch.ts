import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type PublishBranchMessage, signServiceToken } from '@millwright/crds';
import { forgeFailure } from '../shared/forge-failure.ts';
import { GitError, git } from '../shared/git-command.ts';
import { gitReplica } from '../shared/git-replicas.ts';
import { PublishFailure } from './failure.ts';

export interface ScratchOptions {
  gitUrls: readonly string[];
  signingKey: string;
  /** Scratch repositories, one for each project; may be lost at any time. */
  workDir: string;
}

/**
 * Path of a scratch repository that has the commit to publish, from the git host. Throws PublishFailure.
 * @param left milliseconds left for it
 */
export async function fetchCommit(
  { task, project, commit }: PublishBranchMessage,
  { gitUrls, signingKey, workDir }: ScratchOptions,
  left: () => number,
): Promise<string> {
  const { namespace } = task;
  const scratch = join(workDir, namespace, `${project}.git`);
  await mkdir(scratch, { recursive: true });
  await git(['init', '--bare', '--quiet', '--template=', scratch]);
  const present = await git(['rev-list', '--max-count=1', commit], { cwd: scratch }).then(
    () => true,
    () => false,
  );
  if (present) return scratch;
  const url = `${gitReplica(gitUrls, namespace, project)}/${namespace}/${project}.git`;
  const now = Math.floor(Date.now() / 1000);
  const token = signServiceToken({ aud: ['service'], sub: 'publisher', iat: now, exp: now + 600 }, signingKey);
  try {
    // A ref, so that the next fetch need not bring the history again. One for the project: what it pointed to is not needed any more.
    await git(['fetch', '--quiet', '--no-write-fetch-head', '--', url, `+${commit}:refs/published/last`], {
      cwd: scratch,
      login: { url, credentials: { username: 'publisher', password: token } },
      timeoutMs: left(),
    });
    return scratch;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const gone = /not our ref|bad object|could not find/i.test(error.stderr);
    // Whatever is wrong with it, it can be made anew.
    await rm(scratch, { recursive: true, force: true });
    const message = gone ? `the git host has no commit ${commit}` : forgeFailure(error).message;
    throw new PublishFailure(gone ? 'permanent' : 'temporary', `cannot fetch the commit to publish: ${message}`, error);
  }
}

/** Keeps the scratch repository small. One that cannot be packed is still good for publishing. */
export async function tidy(scratch: string): Promise<void> {
  await git(['gc', '--auto', '--quiet'], { cwd: scratch, config: [['gc.auto', '3000']] }).catch(() => undefined);
}
