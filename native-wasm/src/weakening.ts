import type { Answer, Bytes } from './frame.ts';
import * as glue from './generated/core.js';
import type { Instance } from './instance.ts';
import { type ReadOptions, writeReading } from './patch.ts';

/** A file that a change touches. A moved one is two: one that is gone, one that is new. */
export interface ChangedFile {
  path: Bytes;
  /** Undefined: it was not there. */
  before: Bytes | undefined;
  /** Undefined: it is gone. */
  after: Bytes | undefined;
}

export interface WeakeningFinding {
  /** Index of the file. */
  file: number;
  /** In which contents the place is. */
  side: 'before' | 'after';
  /** From 1 on. */
  line: number;
  /** In bytes. */
  start: number;
  end: number;
  kind: WeakeningKind;
  confidence: 'low' | 'medium' | 'high';
  /** What is weaker. */
  message: string;
}

export type WeakeningKind =
  | 'testFileDeleted'
  | 'testDeleted'
  | 'testSkipped'
  | 'testFocused'
  | 'assertionRemoved'
  | 'expectationLoosened'
  | 'gateLowered'
  | 'other';

/** A finding in a patch, of which the rest of the file is not known. */
export interface PatchWeakeningFinding extends Omit<WeakeningFinding, 'start' | 'end'> {
  /** Index of the hunk in its file. */
  hunk: number;
  /** Of the line in the patch, in bytes. */
  offset: number;
}

const confidences = ['low', 'medium', 'high'] as const;

/**
 * Checks whether a change weakens the tests. A finding is a reason to look, not a proof.
 *
 * @param files all that the change touches: a test that moves is found again only among them
 * @throws CoreError `Size` (with the index of the file), `Memory`, `Budget`
 */
export function checkWeakening(instance: Instance, files: readonly ChangedFile[]): WeakeningFinding[] {
  return instance.call(
    glue.checkWeakening,
    (request) => {
      for (const { path, before, after } of files) request.bytes(path).optionalBytes(before).optionalBytes(after);
    },
    (answer) =>
      answer.list(() => ({
        file: answer.u32(),
        side: answer.bool() ? ('after' as const) : ('before' as const),
        line: answer.u32(),
        start: answer.u32(),
        end: answer.u32(),
        ...readWhat(answer),
      })),
  );
}

/**
 * Checks a patch alone, when the contents of its files are not at hand: those that it makes or deletes are known as a whole, of the others the hunks.
 *
 * @throws CoreError `Patch` (with offset), `Size`, `Memory`, `Budget`
 */
export function checkPatchWeakening(
  instance: Instance,
  patch: Bytes,
  options: ReadOptions = {},
): PatchWeakeningFinding[] {
  return instance.call(
    glue.checkPatchWeakening,
    (request) => writeReading(request, options).bytes(patch),
    (answer) =>
      answer.list(() => ({
        file: answer.u32(),
        hunk: answer.u32(),
        offset: answer.u32(),
        side: answer.bool() ? ('after' as const) : ('before' as const),
        line: answer.u32(),
        ...readWhat(answer),
      })),
  );
}

const readWhat = (answer: Answer): Pick<WeakeningFinding, 'kind' | 'confidence' | 'message'> => ({
  kind: answer.text() as WeakeningKind,
  confidence: confidences[answer.u32()] ?? 'low',
  message: answer.text(),
});
