import { type Answer, type Bytes, bytes, given, type Request, u32 } from './frame.ts';
import * as glue from './generated/core.js';
import type { Instance } from './instance.ts';
import type { TreeFile } from './trees.ts';

export interface ReadOptions {
  /** Take what language models write: a bare `@@`, wrong counts, names without the prefixes `a/` and `b/` (false). */
  lenient?: boolean;
  /** Leading folders that are removed from names (1, for the prefixes of git). */
  strip?: number;
}

export interface ApplyOptions extends ReadOptions {
  /** From the new files to the old ones (false). */
  reverse?: boolean;
  /** Lines of context that a hunk may lose at each end if it has no place otherwise (0). */
  fuzz?: number;
}

/** What a patch does to a file. */
export interface PatchedFile {
  change: 'modify' | 'create' | 'delete' | 'rename' | 'copy';
  /** Where it begins in the patch, in bytes. */
  offset: number;
  /** As hostile as the patch: `..` is not refused here. */
  oldPath?: Uint8Array;
  newPath?: Uint8Array;
  /** Such as 0o100644, where the patch states it. */
  oldMode?: number;
  newMode?: number;
  /** Of a rename or copy in percent, where the patch states it. */
  similarity?: number;
  /** The contents are not text: there are no hunks. */
  binary: boolean;
  hunks: readonly Hunk[];
}

/** A run of changed lines with the lines around them. */
export interface Hunk {
  /** Of its header in the patch, in bytes. */
  offset: number;
  /** First line, from 1 on; with no old lines, the line that it comes behind. */
  oldStart: number;
  oldLines: number;
  newStart: number;
  newLines: number;
  /** Whether the header says where the hunk belongs; otherwise both starts are 0. */
  placed: boolean;
  /** What stands behind the second `@@`, such as the function that the hunk is in. */
  section: Uint8Array;
}

/** A hunk that has no place. */
export interface RejectedHunk {
  /** Number of the hunk in its file, from 0 on. */
  hunk: number;
  /** Of its header in the patch, in bytes. */
  offset: number;
  code: string;
  /** What is wrong, where it nearly fits, and what to change. */
  message: string;
}

/** Why a file of a patch was not applied. Nothing of it was. */
export interface ApplyProblem {
  /** Index of the file in the patch. */
  file: number;
  code:
    | 'Rejected'
    | 'Missing'
    | 'Exists'
    | 'TypeDiffers'
    | 'NotEmpty'
    | 'CopyDiffers'
    | 'NoBinaryData'
    | 'Binary'
    | 'Other';
  message: string;
  /** For `Rejected`. */
  hunks: readonly RejectedHunk[];
}

export interface PatchResult {
  /** Empty: all of the patch was applied. */
  problems: readonly ApplyProblem[];
  /** The files that are new or changed. */
  written: readonly { path: Uint8Array; mode: number; contents: Uint8Array }[];
  deleted: readonly Uint8Array[];
}

const changes = ['modify', 'create', 'delete', 'rename', 'copy'] as const;

/** How a patch is read, as requests have it. */
export const writeReading = (request: Request, { lenient = false, strip = 1 }: ReadOptions): Request =>
  request.bool(lenient).u32(strip, 'strip');

/**
 * Reads a patch: one of git or a plain unified one, a mail or a mailbox of `git format-patch`.
 *
 * @throws CoreError `Patch`, with the offset of the first line that is wrong
 */
export function readPatch(instance: Instance, patch: Bytes, options: ReadOptions = {}): PatchedFile[] {
  return instance.call(
    glue.readPatch,
    (request) => writeReading(request, options).bytes(patch),
    (answer) =>
      answer.list((): PatchedFile => {
        const change = changes[answer.u32()] ?? 'modify';
        const offset = answer.u32();
        const [oldPath, newPath] = [answer.optional(bytes), answer.optional(bytes)];
        const [oldMode, newMode] = [answer.optional(u32), answer.optional(u32)];
        const similarity = answer.optional(u32);
        return {
          change,
          offset,
          ...given({ oldPath, newPath, oldMode, newMode, similarity }),
          binary: answer.bool(),
          hunks: answer.list(() => ({
            offset: answer.u32(),
            oldStart: answer.u64(),
            oldLines: answer.u64(),
            newStart: answer.u64(),
            newLines: answer.u64(),
            placed: answer.bool(),
            section: answer.bytes(),
          })),
        };
      }),
  );
}

/**
 * Applies a patch to a set of files as git does: of each file all or nothing, whatever becomes of the others.
 *
 * @param files those that the patch touches; others are no matter
 * @throws CoreError `Patch` (with offset), `Size`, `Memory`, `Budget`
 */
export function applyPatch(
  instance: Instance,
  patch: Bytes,
  files: readonly TreeFile[],
  options: ApplyOptions = {},
): PatchResult {
  const { reverse = false, fuzz = 0 } = options;
  return instance.call(
    glue.applyPatch,
    (request) => {
      writeReading(request, options).bool(reverse).u32(fuzz, 'fuzz').bytes(patch);
      for (const { path, mode, contents } of files) request.bytes(path).u32(mode, 'mode').bytes(contents);
    },
    (answer) => {
      const results = answer.list(() => (answer.bool() ? undefined : readProblem(answer)));
      return {
        problems: results.flatMap((problem, file) => (problem ? [{ file, ...problem }] : [])),
        written: answer.list(() => ({ path: answer.bytes(), mode: answer.u32(), contents: answer.keptBytes() })),
        deleted: answer.list(() => answer.bytes()),
      };
    },
  );
}

const readProblem = (answer: Answer): Omit<ApplyProblem, 'file'> => ({
  code: answer.text() as ApplyProblem['code'],
  message: answer.text(),
  hunks: answer.list(() => ({
    hunk: answer.u32(),
    offset: answer.u32(),
    code: answer.text(),
    message: answer.text(),
  })),
});
