import type { Bytes } from './frame.ts';
import * as glue from './generated/core.js';
import type { Instance } from './instance.ts';

export interface DiffOptions {
  /** Unchanged lines before and behind each change (3). */
  context?: number;
  /** Unchanged lines between two changes for them to stay in one hunk, in addition to twice the above (0). */
  betweenHunks?: number;
  /** The white space that does not count (none). */
  ignoreWhitespace?: 'atLineEnd' | 'all';
  /** Work for each pair, in looked-at lines; beyond it the diff is `degraded` (some seconds' worth). */
  budget?: number;
}

export interface TextPair {
  before: Bytes;
  after: Bytes;
}

/** Line numbers from 0 on, ends exclusive. */
export interface Change {
  before: { start: number; end: number };
  after: { start: number; end: number };
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

const whitespace = { atLineEnd: 1, all: 2 } as const;

/**
 * Compares pairs of texts, as `git diff --histogram` does. Texts are bytes; strings count as UTF-8.
 *
 * @throws CoreError `Size`, `Memory`
 */
export function diffTexts(instance: Instance, pairs: readonly TextPair[], options: DiffOptions = {}): TextDiff[] {
  const { context = 3, betweenHunks = 0, ignoreWhitespace, budget = 0 } = options;
  return instance.call(
    glue.diffTexts,
    (request) => {
      request.u32(context).u32(betweenHunks);
      request.u32(ignoreWhitespace === undefined ? 0 : whitespace[ignoreWhitespace]).u64(budget);
      for (const { before, after } of pairs) request.bytes(before).bytes(after);
    },
    (answer) =>
      pairs.map(() => ({
        added: answer.u32(),
        removed: answer.u32(),
        degraded: answer.bool(),
        hunks: answer.bytes(),
        changes: changesOf(answer.table()),
      })),
  );
}

function changesOf(lines: Uint32Array): Change[] {
  const changes: Change[] = [];
  for (let at = 0; at < lines.length; at += 4) {
    const [oldStart = 0, oldEnd = 0, newStart = 0, newEnd = 0] = lines.subarray(at, at + 4);
    changes.push({ before: { start: oldStart, end: oldEnd }, after: { start: newStart, end: newEnd } });
  }
  return changes;
}
