/** From the changed tree to a commit on the attempt's ref. */
import { type GrantMessage, reasons } from '@millwright/crds';
import { FailedError } from './errors.ts';
import { CHECKOUT, type Git } from './git.ts';
import { refusalOf, remarksOf, withReason, wordsOf } from './refusal.ts';
import { retrying } from './retry.ts';
import type { Shell } from './shell.ts';
import { lastWords } from './tail.ts';

/**
 * Commits whatever has changed since `start`, on top of what commands have committed themselves.
 * @returns the produced commit; undefined when nothing changed
 * @throws FailedError InvalidOutput when commands have damaged the repository
 */
export async function commitChanges(
  shell: Shell,
  git: Git,
  start: string,
  message: string,
): Promise<string | undefined> {
  // A git that was killed leaves its lock behind.
  await shell.run({ run: { argv: ['rm', '-f', `${CHECKOUT}/.git/index.lock`] }, quiet: true });
  await expect(git, ['add', '--all']);
  // Commands may have rewound or left the branch; what counts is the tree, on top of where they started.
  if ((await expect(git, ['merge-base', '--is-ancestor', start, 'HEAD'], [0, 1, 128])).exitCode !== 0)
    await expect(git, ['reset', '-q', '--soft', start]);
  const dirty = (await expect(git, ['diff', '--cached', '--quiet', '--no-ext-diff'], [0, 1])).exitCode === 1;
  if (dirty) await expect(git, ['commit', '-q', '--no-verify', '--file=-'], [0], message);
  const produced = (await expect(git, ['rev-parse', '--verify', 'HEAD^{commit}'])).stdout.trim();
  return produced === start ? undefined : produced;
}

/**
 * Pushes the commit to the attempt's ref.
 * @returns what the git host says of it, line by line
 * @throws FailedError InvalidOutput (agent) or Fenced (governance) when the git host refuses the commit for good, PublishFailed (infrastructure)
 *   otherwise
 */
export async function pushCommit(
  git: Git,
  grant: GrantMessage['git'],
  commit: string,
  signal: AbortSignal,
): Promise<string[]> {
  const pushed = await retrying(
    // An earlier start of the same attempt may have pushed already: the later one counts.
    () => git.run(['push', '-q', '--no-verify', grant.url, `+${commit}:${grant.pushRef}`], { network: true }),
    (finished) => finished.exitCode === 0 || refusalOf(finished) !== undefined,
    { attempts: 5, baseMs: 2_000, signal },
  );
  if (pushed.exitCode === 0) return remarksOf(pushed);
  const refusal = refusalOf(pushed);
  if (refusal === 'fenced')
    throw new FailedError({ class: 'governance', reason: reasons.Fenced, message: wordsOf(pushed) });
  if (refusal === 'tooLarge' || refusal === 'damaged')
    throw new FailedError({
      class: 'agent',
      reason: reasons.InvalidOutput,
      message: withReason(problems[refusal], pushed),
    });
  throw new FailedError({
    class: 'infrastructure',
    reason: reasons.PublishFailed,
    message: withReason(`${grant.pushRef} cannot be pushed`, pushed),
  });
}

const problems = {
  tooLarge: 'the changes are larger than an attempt may push: have the task produce less, and ignore what it builds',
  damaged: 'the changes contain objects that git does not accept: do not write into .git',
};

async function expect(git: Git, args: readonly string[], codes: readonly number[] = [0], stdin?: string) {
  const finished = await git.run(args, stdin === undefined ? {} : { stdin });
  if (codes.includes(finished.exitCode)) return finished;
  throw new FailedError({
    class: 'agent',
    reason: reasons.InvalidOutput,
    message: `the changes cannot be committed: git ${args[0]}: ${lastWords(finished.tail)}`,
  });
}
