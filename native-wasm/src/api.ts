/** What those who use the core import, in Node and in browsers alike. */
export type { Core } from './core.ts';
export type { Change, DiffOptions, TextDiff, TextDiffOptions, TextPair } from './diff.ts';
export type { ByteRange, Edit, Edited, EditProblem, Replaced } from './edits.ts';
export { CoreError } from './errors.ts';
export type { Bytes } from './frame.ts';
export type { IgnorablePath, IgnoreFile, IgnoreMatch } from './ignore.ts';
export type { DefinitionKind, OutlinedText, OutlineEntry } from './outline.ts';
export type {
  ApplyOptions,
  ApplyProblem,
  Hunk,
  PatchedFile,
  PatchResult,
  ReadOptions,
  RejectedHunk,
} from './patch.ts';
export type { ChangedPath, Listing, PathClass, PathFinding, PathPolicy, PathReport } from './paths.ts';
export type {
  DefinitionQuery,
  FoundDefinition,
  Hit,
  IndexedFile,
  IndexOptions,
  PathFilter,
  Query,
  SearchIndex,
  SearchOptions,
  Skipped,
} from './search.ts';
export type { Redactor, ScannedText, ScanOptions, SecretFinding } from './secrets.ts';
export type { FileDiff, TreeDiff, TreeDiffOptions, TreeFile } from './trees.ts';
export type { ChangedFile, PatchWeakeningFinding, WeakeningFinding, WeakeningKind } from './weakening.ts';
