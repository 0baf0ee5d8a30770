import { diffTexts, type TextDiff, type TextDiffOptions, type TextPair } from './diff.ts';
import { applyEdits, type Edit, type Edited } from './edits.ts';
import type { Bytes } from './frame.ts';
import { checkIgnored, type IgnorablePath, type IgnoreFile, type IgnoreMatch } from './ignore.ts';
import { Instance } from './instance.ts';
import { type OutlinedText, type OutlineEntry, outlineTexts } from './outline.ts';
import {
  type ApplyOptions,
  applyPatch,
  type PatchedFile,
  type PatchResult,
  type ReadOptions,
  readPatch,
} from './patch.ts';
import { judgePaths, type Listing, type PathPolicy, type PathReport } from './paths.ts';
import { type IndexOptions, SearchIndex } from './search.ts';
import { Redactor, type ScannedText, type ScanOptions, type SecretFinding, scanSecrets } from './secrets.ts';
import { diffTrees, type TreeDiff, type TreeDiffOptions, type TreeFile } from './trees.ts';
import {
  type ChangedFile,
  checkPatchWeakening,
  checkWeakening,
  type PatchWeakeningFinding,
  type WeakeningFinding,
} from './weakening.ts';

/** The operations of the core on this thread. They are synchronous: what is large blocks the thread. */
export interface Core {
  /** Compares pairs of texts, as `git diff --histogram` does. See `diffTexts`. */
  diffTexts(pairs: readonly TextPair[], options?: TextDiffOptions): TextDiff[];
  /** Compares two trees of files and writes the patch. See `diffTrees`. */
  diffTrees(before: readonly TreeFile[], after: readonly TreeFile[], options?: TreeDiffOptions): TreeDiff;
  /** Reads a patch. See `readPatch`. */
  readPatch(patch: Bytes, options?: ReadOptions): PatchedFile[];
  /** Applies a patch to a set of files, as git does. See `applyPatch`. */
  applyPatch(patch: Bytes, files: readonly TreeFile[], options?: ApplyOptions): PatchResult;
  /** Makes search and replace edits in a file, all of them or none. See `applyEdits`. */
  applyEdits(contents: Bytes | undefined, edits: readonly Edit[]): Edited;
  /** Judges the change from one tree to another by its paths. See `judgePaths`. */
  judgePaths(before: Listing, after: Listing, policy?: PathPolicy): PathReport;
  /** Checks whether a change weakens the tests. See `checkWeakening`. */
  checkWeakening(files: readonly ChangedFile[]): WeakeningFinding[];
  /** Checks a patch alone for the same. See `checkPatchWeakening`. */
  checkPatchWeakening(patch: Bytes, options?: ReadOptions): PatchWeakeningFinding[];
  /** Finds the secrets of texts. See `scanSecrets`. */
  scanSecrets(texts: readonly ScannedText[], options?: ScanOptions): SecretFinding[][];
  /** Makes a redactor of streams. Dispose of it. */
  createRedactor(secrets: readonly Bytes[]): Redactor;
  /** Lists what texts define. See `outlineTexts`. */
  outlineTexts(texts: readonly OutlinedText[]): (OutlineEntry[] | undefined)[];
  /** Looks paths up in the rules of `.gitignore` files. See `checkIgnored`. */
  checkIgnored(files: readonly IgnoreFile[], paths: readonly IgnorablePath[]): (IgnoreMatch | undefined)[];
  /** Makes an empty index for searches. Dispose of it. */
  createIndex(options?: IndexOptions): SearchIndex;
  /** Bytes of memory that the core occupies now. */
  readonly memoryBytes: number;
}

export function createCore(module: WebAssembly.Module): Core {
  const instance = new Instance(module);
  return {
    diffTexts: (pairs, options) => diffTexts(instance, pairs, options),
    diffTrees: (before, after, options) => diffTrees(instance, before, after, options),
    readPatch: (patch, options) => readPatch(instance, patch, options),
    applyPatch: (patch, files, options) => applyPatch(instance, patch, files, options),
    applyEdits: (contents, edits) => applyEdits(instance, contents, edits),
    judgePaths: (before, after, policy) => judgePaths(instance, before, after, policy),
    checkWeakening: (files) => checkWeakening(instance, files),
    checkPatchWeakening: (patch, options) => checkPatchWeakening(instance, patch, options),
    scanSecrets: (texts, options) => scanSecrets(instance, texts, options),
    createRedactor: (secrets) => new Redactor(instance, secrets),
    outlineTexts: (texts) => outlineTexts(instance, texts),
    checkIgnored: (files, paths) => checkIgnored(instance, files, paths),
    createIndex: (options) => new SearchIndex(instance, options),
    get memoryBytes() {
      return instance.memoryBytes;
    },
  };
}
