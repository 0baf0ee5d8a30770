import type { ByteRange } from './edits.ts';
import { type Answer, type Bytes, indexOf, type Request } from './frame.ts';
import * as glue from './generated/core.js';
import type { Instance } from './instance.ts';

export interface DiffOptions {
  /** Unchanged lines before and behind each change (3). */
  context?: number;
  /** Unchanged lines between two changes for them to stay in one hunk, in addition to twice the above (0). */
  betweenHunks?: number;
  /** The white space that does not count (none). */
  ignoreWhitespace?: 'atLineEnd' | 'all';
  /** Work for each pair of texts, or for two trees in all, in looked-at lines; beyond it the diff is `degraded` (some seconds' worth). */
  budget?: number;
}

export interface TextDiffOptions extends DiffOptions {
  /** Compare the words of each change as well, for display (false). */
  words?: boolean;
}

export interface TextPair {
  before: Bytes;
  after: Bytes;
}

/** Line numbers from 0 on, ends exclusive. */
export interface Change {
  before: { start: number; end: number };
  after: { start: number; end: number };
  /** What differs within the lines, in bytes of the whole texts. Only when asked for, and where both sides have enough in common for it to help. */
  words?: { before: readonly ByteRange[]; after: readonly ByteRange[] };
}

export interface TextDiff {
  /** Lines. */
  added: number;
  /** Lines. */
  removed: number;
  /** The budget was spent: the diff is right, but not as small as it could be. */
  degraded: boolean;
  /** In the unified format, from the first `@@` on; empty when the texts are the same. */
  hunks: Uint8Array;
  changes: readonly Change[];
}

const whitespace = ['atLineEnd', 'all'] as const;

/**
 * Compares pairs of texts, as `git diff --histogram` does. Texts are bytes; strings count as UTF-8.
 *
 * @throws CoreError `Size`, `Memory`
 */
export function diffTexts(instance: Instance, pairs: readonly TextPair[], options: TextDiffOptions = {}): TextDiff[] {
  const { words = false } = options;
  return instance.call(
    glue.diffTexts,
    (request) => {
      writeOptions(request, options);
      request.bool(words);
      for (const { before, after } of pairs) request.bytes(before).bytes(after);
    },
    (answer) =>
      pairs.map(() => ({
        added: answer.u32(),
        removed: answer.u32(),
        degraded: answer.bool(),
        hunks: answer.bytes(),
        changes: changesOf(answer, words),
      })),
  );
}

/** The options that texts and trees share. */
export function writeOptions(request: Request, options: DiffOptions): void {
  const { context = 3, betweenHunks = 0, ignoreWhitespace, budget = 0 } = options;
  request.u32(context, 'context').u32(betweenHunks, 'betweenHunks');
  request.u32(ignoreWhitespace === undefined ? 0 : 1 + indexOf(whitespace, ignoreWhitespace, 'ignoreWhitespace'));
  request.u64(budget, 'budget');
}

function changesOf(answer: Answer, words: boolean): Change[] {
  const lines = ranges(answer);
  const changes: Change[] = [];
  for (let at = 0; at < lines.length; at += 2) {
    const [before, after] = lines.slice(at, at + 2);
    if (before && after) changes.push({ before, after });
  }
  return words ? changes.map((change) => ({ ...change, ...wordsOf(answer) })) : changes;
}

function wordsOf(answer: Answer): Pick<Change, 'words'> {
  const hasWords = answer.bool();
  const words = { before: ranges(answer), after: ranges(answer) };
  return hasWords ? { words } : {};
}

function ranges(answer: Answer): ByteRange[] {
  const numbers = answer.table();
  return Array.from({ length: numbers.length / 2 }, (_, at) => ({
    start: numbers[2 * at] ?? 0,
    end: numbers[2 * at + 1] ?? 0,
  }));
}
