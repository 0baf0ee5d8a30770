/** What a git host says for good: asking again cannot help. */
import type { Finished } from './shell.ts';
import { lastLines } from './tail.ts';

/**
 * - `tooLarge`: a push beyond what an attempt may push (HTTP 413, or git's own limit)
 * - `damaged`: a push of objects that are not what they should be
 * - `misconfigured`: a request that the Project or the task has to change for (HTTP 422): no such branch, no right to read
 */
export type Refusal = 'tooLarge' | 'damaged' | 'misconfigured';

/** git gives no more than its output; `createGit` makes that untranslated. */
const said: readonly (readonly [Refusal, RegExp])[] = [
  ['tooLarge', /\b(returned error:|HTTP) 413\b|pack exceeds maximum allowed size/],
  ['misconfigured', /\b(returned error:|HTTP) 422\b/],
  ['damaged', /^remote: .*\bfsck error\b/m],
];

/** Why a git host refuses a command that talked to it; undefined for whatever may work later. */
export function refusalOf({ exitCode, tail }: Finished): Refusal | undefined {
  return exitCode === 0 ? undefined : said.find(([, words]) => words.test(tail))?.[0];
}

/** A problem with what git said about it: one line, within the limit of a result's message. */
export const withReason = (problem: string, finished: Finished): string =>
  `${problem}: ${wordsOf(finished)}`.slice(0, 1024);

/** What the git host said, as git passes it on; where it said nothing, what git says itself. In one line. */
export function wordsOf({ tail }: Finished): string {
  const linesOf = (text: string) => text.split('\n').map((line) => line.trim());
  const said = linesOf(tail).flatMap((line) => (line.startsWith('remote: ') ? [line.slice('remote: '.length)] : []));
  const lines = said.length > 0 ? said : linesOf(lastLines(tail, 600));
  return lines
    .filter((line) => line !== '')
    .join('; ')
    .slice(0, 1024);
}
