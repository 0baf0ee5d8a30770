import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type EffectFailure,
  type EffectResultMessage,
  type PublishBranchMessage,
  signServiceToken,
} from '@millwright/crds';
import { type ForgeFailure, forgeFailure } from '../shared/forge-failure.ts';
import { GitError, git } from '../shared/git-command.ts';
import { gitReplica } from '../shared/git-replicas.ts';
import { projectKey } from '../shared/project-key.ts';
import { CredentialsError, ProjectError, type ProjectLookup, type ProjectSource } from '../shared/projects.ts';

/** Publishing failed. The message is for people. */
class PublishFailure extends Error {
  override readonly name = 'PublishFailure';
  readonly failure: EffectFailure;
  constructor(failure: EffectFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.failure = failure;
  }
}

/** The branch was not where it had been seen a moment ago. */
class LeaseLost extends PublishFailure {}

export interface PublishOptions {
  lookup: ProjectLookup;
  gitUrls: readonly string[];
  signingKey: string;
  /** Scratch repositories, one for each project; may be lost at any time. */
  workDir: string;
}

/** The only place where anything is written on a forge. */
const branchPattern = /^ai\/generated\/[A-Za-z0-9][-._A-Za-z0-9]*\/[A-Za-z0-9][-._A-Za-z0-9]*$/;
const FETCH_TIMEOUT_MS = 5 * 60_000;
/** A lease that is lost is looked at again; somebody who keeps moving the branch wins. */
const MAX_LEASES = 3;

function check(effect: PublishBranchMessage): void {
  const { branch, ref, task, attempt, project } = effect;
  // Both become part of paths.
  if (!projectKey(task.namespace, `${project}.git`))
    throw new PublishFailure('permanent', `${task.namespace}/${project} is not a namespace and a name`);
  if (!branchPattern.test(branch) || branch.includes('..') || /\.(lock)?$/.test(branch) || branch.includes('.lock/'))
    throw new PublishFailure('permanent', `${branch} is not a branch of the form ai/generated/<workflow>/<task>`);
  if (ref !== `refs/attempts/${task.uid}/${attempt}`)
    throw new PublishFailure('permanent', `${ref} is not the ref of attempt ${attempt} of the task`);
}

function remedyFor({ kind, retryable }: ForgeFailure): EffectFailure {
  if (retryable) return 'temporary';
  return kind === 'credentials' || kind === 'forbidden' ? 'credentials' : 'permanent';
}

/** Runs a git command against a forge. Throws PublishFailure. */
async function onForge(args: readonly string[], from: ProjectSource, cwd?: string): Promise<string> {
  try {
    return await git(args, {
      cwd,
      login: from.credentials ? { url: from.url, credentials: from.credentials } : undefined,
      timeoutMs: FETCH_TIMEOUT_MS,
    });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const failure = forgeFailure(error);
    throw new (failure.kind === 'moved' ? LeaseLost : PublishFailure)(remedyFor(failure), failure.message, error);
  }
}

/** The commit that a branch of the forge points to; '' when there is no such branch. */
async function observe(from: ProjectSource, branch: string): Promise<string> {
  const found = await onForge(['ls-remote', '--quiet', '--', from.url, `refs/heads/${branch}`], from);
  return (
    found
      .split('\n')
      .find((line) => line.endsWith(`\trefs/heads/${branch}`))
      ?.split('\t')[0] ?? ''
  );
}

async function fetchCommit(effect: PublishBranchMessage, options: PublishOptions): Promise<string> {
  const { namespace } = effect.task;
  const scratch = join(options.workDir, namespace, `${effect.project}.git`);
  await mkdir(scratch, { recursive: true });
  await git(['init', '--bare', '--quiet', '--template=', scratch]);
  const present = await git(['rev-list', '--max-count=1', effect.commit], { cwd: scratch }).then(
    () => true,
    () => false,
  );
  if (present) return scratch;
  const url = `${gitReplica(options.gitUrls, namespace, effect.project)}/${namespace}/${effect.project}.git`;
  const now = Math.floor(Date.now() / 1000);
  const token = signServiceToken({ aud: ['service'], sub: 'publisher', iat: now, exp: now + 600 }, options.signingKey);
  try {
    // A ref, so that the next fetch need not bring the history again. One for the project: what it pointed to is not needed any more.
    await git(['fetch', '--quiet', '--no-write-fetch-head', '--', url, `+${effect.commit}:refs/published/last`], {
      cwd: scratch,
      login: { url, credentials: { username: 'publisher', password: token } },
      timeoutMs: FETCH_TIMEOUT_MS,
    });
    return scratch;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const gone = /not our ref|bad object|could not find/i.test(error.stderr);
    // Whatever is wrong with it, it can be made anew.
    await rm(scratch, { recursive: true, force: true });
    const message = gone ? `the git host has no commit ${effect.commit}` : forgeFailure(error).message;
    throw new PublishFailure(gone ? 'permanent' : 'temporary', `cannot fetch the commit to publish: ${message}`, error);
  }
}

async function publish(effect: PublishBranchMessage, options: PublishOptions): Promise<void> {
  const from = await options.lookup(effect.task.namespace, effect.project);
  for (let lease = 1; ; lease += 1) {
    const there = await observe(from, effect.branch);
    if (there === effect.commit) return;
    const scratch = await fetchCommit(effect, options);
    const target = `refs/heads/${effect.branch}`;
    try {
      await onForge(
        [
          'push',
          '--porcelain',
          '--no-verify',
          `--force-with-lease=${target}:${there}`,
          '--',
          from.url,
          `${effect.commit}:${target}`,
        ],
        from,
        scratch,
      );
      await git(['gc', '--auto', '--quiet'], {
        cwd: scratch,
        config: [['gc.auto', '3000']],
        timeoutMs: FETCH_TIMEOUT_MS,
      }).catch(
        // A scratch repository that cannot be packed is still good for publishing.
        () => undefined,
      );
      return;
    } catch (error) {
      // Somebody moved the branch in between, perhaps another publisher with the same effect.
      if (!(error instanceof LeaseLost) || lease === MAX_LEASES) throw error;
    }
  }
}

/** What can be done about a failure. What this process does not understand may be its own fault, and pass. */
function answerTo(error: unknown): { failure: EffectFailure; message: string } {
  if (error instanceof PublishFailure) return { failure: error.failure, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof CredentialsError) return { failure: 'credentials', message };
  return { failure: error instanceof ProjectError && !error.temporary ? 'permanent' : 'temporary', message };
}

/**
 * Puts a commit of the git host on a branch of the forge, in one try: when to try again is for the operator to say, which states the wait.
 * Doing it twice is harmless: a branch that is there already counts as done. Never throws: the answer says what came of it.
 */
export async function publishBranch(
  effect: PublishBranchMessage,
  options: PublishOptions,
): Promise<EffectResultMessage> {
  const { id, task, attempt, branch, commit } = effect;
  const base = { type: 'effectResult' as const, id, task, attempt };
  try {
    check(effect);
    await publish(effect, options);
    return { ...base, ok: true, branch, commit };
  } catch (error) {
    const { failure, message } = answerTo(error);
    return { ...base, ok: false, failure, message: message.slice(0, 1024) };
  }
}
