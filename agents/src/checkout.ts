/** From an empty workspace to the tree that the attempt starts from. */
import { type GrantMessage, reasons } from '@millwright/crds';
import { FailedError } from './errors.ts';
import { CHECKOUT, type Git } from './git.ts';
import { refusalOf, withReason, wordsOf } from './refusal.ts';
import { retrying } from './retry.ts';
import type { Finished, Shell } from './shell.ts';

type GitGrant = GrantMessage['git'];

const BASE = 'refs/millwright/base';
const dependencyRef = (index: number) => `refs/millwright/dependencies/${index}`;

/** Makes the folders of the workspace; what an earlier start of the same attempt left is removed. */
export async function prepareFolders(shell: Shell): Promise<void> {
  const made = await shell.run({ run: { script: `rm -rf ${CHECKOUT} && mkdir -p home ${CHECKOUT}` }, quiet: true });
  if (made.exitCode !== 0) throw checkoutFailed('the workspace cannot be prepared', made);
}

/**
 * Checks out the base and merges the commits of the dependencies in their order.
 * @returns the commit that the work starts from
 * @throws FailedError CheckoutFailed (infrastructure; governance when the Project or the task has to change), MergeConflict (agent)
 */
export async function checkoutBase(git: Git, grant: GitGrant, signal: AbortSignal): Promise<string> {
  const dependencies = grant.dependencies.map(({ ref }, index) => `+${ref}:${dependencyRef(index)}`);
  await fetch(git, grant, [`+${grant.baseRef}:${BASE}`, ...dependencies], signal);
  await must(git, ['checkout', '-q', '-B', 'millwright', BASE], 'the base cannot be checked out');
  const merged: string[] = [];
  for (const { name, commit } of grant.dependencies) {
    await merge(git, name, commit, merged);
    merged.push(name);
  }
  return await head(git);
}

/**
 * Checks out the produced commit and nothing else.
 * @throws FailedError CheckoutFailed
 */
export async function checkoutCommit(git: Git, grant: GitGrant, commit: string, signal: AbortSignal): Promise<void> {
  await fetch(git, grant, [`+${grant.pushRef}:${BASE}`], signal);
  await must(git, ['checkout', '-q', '--detach', commit], `commit ${commit} cannot be checked out`);
}

/** The commit that is checked out. */
async function head(git: Git): Promise<string> {
  const finished = await must(git, ['rev-parse', '--verify', 'HEAD^{commit}'], 'the checkout has no commit');
  return finished.stdout.trim();
}

async function fetch(git: Git, grant: GitGrant, refspecs: readonly string[], signal: AbortSignal): Promise<void> {
  await must(git, ['init', '-q'], 'the repository cannot be created');
  await must(git, ['remote', 'add', 'origin', grant.url], 'the repository cannot be prepared');
  const fetched = await retrying(
    () => git.run(['fetch', '-q', '--no-tags', '--no-write-fetch-head', grant.url, ...refspecs], { network: true }),
    (finished) => finished.exitCode === 0 || refusalOf(finished) !== undefined,
    { attempts: 4, baseMs: 2_000, signal },
  );
  if (fetched.exitCode === 0) return;
  // The git host names the field to correct; where it stands in the cluster is nobody's business.
  if (refusalOf(fetched) === 'misconfigured')
    throw new FailedError({ class: 'governance', reason: reasons.CheckoutFailed, message: wordsOf(fetched) });
  throw checkoutFailed('the repository cannot be fetched', fetched);
}

/** @param before whose results are merged already */
async function merge(git: Git, name: string, commit: string, before: readonly string[]): Promise<void> {
  const merged = await git.run(['merge', '-q', '--no-edit', '-m', `Merge the result of ${name}`, commit]);
  if (merged.exitCode === 0) return;
  const conflicts = await git.run(['diff', '--name-only', '--diff-filter=U', '-z']);
  const paths = conflicts.stdout.split('\0').filter((path) => path !== '');
  if (paths.length === 0) throw checkoutFailed(`the result of ${name} (${commit}) cannot be merged`, merged);
  const others = before.length > 0 ? `what ${some(before)} changed` : 'the base';
  const message = `the result of ${name} contradicts ${others} in ${some(paths)}: let one of the two tasks depend on the other`;
  throw new FailedError({
    class: 'agent',
    reason: reasons.MergeConflict,
    message: message.slice(0, 1024),
  });
}

const SHOWN = 10;

const some = (names: readonly string[]): string =>
  `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`;

async function must(git: Git, args: readonly string[], problem: string): Promise<Finished> {
  const finished = await git.run(args);
  if (finished.exitCode !== 0) throw checkoutFailed(problem, finished);
  return finished;
}

function checkoutFailed(problem: string, finished: Finished): FailedError {
  return new FailedError({
    class: 'infrastructure',
    reason: reasons.CheckoutFailed,
    message: withReason(problem, finished),
  });
}
