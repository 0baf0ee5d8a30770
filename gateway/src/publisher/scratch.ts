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

/** A repository with what is to be published. */
export interface Scratch {
  path: string;
  /** The commit that the Workflow started from. */
  base: string;
}

/** The base of a project's effect at hand. */
const BASE = 'refs/published/base';

/**
 * Fetches the commit to publish, and the one that its Workflow started from, from the git host into a scratch repository. Throws PublishFailure.
 * @param left milliseconds left for it
 */
export async function fetchCommit(
  { task, project, commit }: PublishBranchMessage,
  base: string,
  { gitUrls, signingKey, workDir }: ScratchOptions,
  left: () => number,
): Promise<Scratch> {
  const { namespace } = task;
  const scratch = join(workDir, namespace, `${project}.git`);
  await mkdir(scratch, { recursive: true });
  await git(['init', '--bare', '--quiet', '--template=', scratch]);
  const present = await git(['rev-list', '--max-count=1', commit], { cwd: scratch }).then(
    () => true,
    () => false,
  );
  const url = `${gitReplica(gitUrls, namespace, project)}/${namespace}/${project}.git`;
  const now = Math.floor(Date.now() / 1000);
  const token = signServiceToken({ aud: ['service'], sub: 'publisher', iat: now, exp: now + 600 }, signingKey);
  try {
    // Refs, so that the next fetch need not bring the history again. One each for the project: what it pointed to is not needed any more.
    const wanted = [`+${base}:${BASE}`, ...(present ? [] : [`+${commit}:refs/published/last`])];
    await git(['fetch', '--quiet', '--no-write-fetch-head', '--', url, ...wanted], {
      cwd: scratch,
      login: { url, credentials: { username: 'publisher', password: token } },
      timeoutMs: left(),
    });
    const started = await git(['rev-parse', '--verify', `${BASE}^{commit}`], { cwd: scratch });
    return { path: scratch, base: started.trim() };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const gone = /not our ref|bad object|could not find|couldn't find remote ref/i.test(error.stderr);
    // Whatever is wrong with it, it can be made anew.
    await rm(scratch, { recursive: true, force: true });
    const message = gone
      ? `the git host has no commit ${commit}, or no base of its Workflow`
      : forgeFailure(error).message;
    throw new PublishFailure(gone ? 'permanent' : 'temporary', `cannot fetch the commit to publish: ${message}`, error);
  }
}

/** Keeps the scratch repository small. One that cannot be packed is still good for publishing. */
export async function tidy(scratch: string): Promise<void> {
  await git(['gc', '--auto', '--quiet'], { cwd: scratch, config: [['gc.auto', '3000']] }).catch(() => undefined);
}
