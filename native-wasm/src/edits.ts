import type { Bytes } from './frame.ts';
import * as glue from './generated/core.js';
import type { Instance } from './instance.ts';

export interface Edit {
  /** The text as it is in the file, which has to be there once; empty for the contents of a new file. */
  search: Bytes;
  /** What comes in its place. */
  replace: Bytes;
  /** Replace all occurrences, once or more. */
  replaceAll?: boolean;
}

/** A range in bytes, its end exclusive. */
export interface ByteRange {
  start: number;
  end: number;
}

export interface Replaced {
  /** Index of the edit. */
  edit: number;
  before: ByteRange;
  after: ByteRange;
}

/** Why an edit cannot be made. */
export interface EditProblem {
  /** Index of the edit. */
  edit: number;
  code: 'NotFound' | 'NotUnique' | 'Overlap' | 'Exists' | 'Missing' | 'NoChange' | 'Other';
  /** What is wrong and what to change. */
  message: string;
  /** Lines of the file that it is about, from 1 on: where the text is several times, or what is near to it. */
  lines: readonly number[];
}

export type Edited =
  | { ok: true; contents: Uint8Array; replaced: readonly Replaced[] }
  | { ok: false; problems: readonly EditProblem[] };

/**
 * Makes search and replace edits in a file, all of them or none. Each looks for its text in the contents as they were.
 *
 * @param contents undefined when there is no file
 * @throws CoreError `Size`, `Memory`, `Budget`
 */
export function applyEdits(instance: Instance, contents: Bytes | undefined, edits: readonly Edit[]): Edited {
  return instance.call(
    glue.applyEdits,
    (request) => {
      request.optionalBytes(contents);
      for (const { search, replace, replaceAll = false } of edits)
        request.bytes(search).bytes(replace).bool(replaceAll);
    },
    (answer): Edited => {
      if (answer.bool()) return { ok: true, contents: answer.keptBytes(), replaced: replacedOf(answer.table()) };
      return {
        ok: false,
        problems: answer.list(() => ({
          edit: answer.u32(),
          code: answer.text() as EditProblem['code'],
          message: answer.text(),
          lines: [...answer.table()],
        })),
      };
    },
  );
}

function replacedOf(numbers: Uint32Array): Replaced[] {
  const replaced: Replaced[] = [];
  for (let at = 0; at < numbers.length; at += 5) {
    const [edit = 0, oldStart = 0, oldEnd = 0, newStart = 0, newEnd = 0] = numbers.subarray(at, at + 5);
    replaced.push({ edit, before: { start: oldStart, end: oldEnd }, after: { start: newStart, end: newEnd } });
  }
  return replaced;
}
