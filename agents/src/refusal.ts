/** What a git host says for good: asking again cannot help. */
import type { Finished } from './shell.ts';
import { lastLines } from './tail.ts';

/**
 * - `tooLarge`: a push beyond what an attempt may push (HTTP 413, or git's own limit)
 * - `damaged`: a push of objects that are not what they should be
 * - `fenced`: a push of changes that the policy of the Project does not let agents make
 * - `misconfigured`: a request that the Project or the task has to change for (HTTP 422): no such branch, no right to read
 */
export type Refusal = 'tooLarge' | 'damaged' | 'fenced' | 'misconfigured';

/** git gives no more than its output; `createGit` makes that untranslated. */
const said: readonly (readonly [Refusal, RegExp])[] = [
  ['tooLarge', /\b(returned error:|HTTP) 413\b|pack exceeds maximum allowed size/],
  ['misconfigured', /\b(returned error:|HTTP) 422\b/],
  ['damaged', /^remote: .*\bfsck error\b/m],
  ['fenced', /^ ! \[remote rejected\] .* \(fenced\)$/m],
];

/** Why a git host refuses a command that talked to it; undefined for whatever may work later. */
export function refusalOf({ exitCode, tail }: Finished): Refusal | undefined {
  return exitCode === 0 ? undefined : said.find(([, words]) => words.test(tail))?.[0];
}

/** A problem with what git said about it: one line, within the limit of a result's message. */
export const withReason = (problem: string, finished: Finished): string =>
  `${problem}: ${wordsOf(finished)}`.slice(0, 1024);

/** What the git host said, as git passes it on; where it said nothing, what git says itself. In one line. */
export function wordsOf(finished: Finished): string {
  const said = remarksOf(finished);
  const lines = said.length > 0 ? said : linesOf(lastLines(finished.tail, 600));
  return lines.join('; ').slice(0, 1024);
}

/** What the git host said, line by line. */
export const remarksOf = ({ tail }: Finished): string[] =>
  linesOf(tail)
    .flatMap((line) => (line.startsWith('remote: ') ? [line.slice('remote: '.length).trim()] : []))
    .filter((line) => line !== '');

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
