/** What those who use the core import, in Node and in browsers alike. */
export type { Core } from './core.ts';
export type { Change, DiffOptions, TextDiff, TextPair } from './diff.ts';
export type { ByteRange, Edit, Edited, EditProblem, Replaced } from './edits.ts';
export { CoreError } from './errors.ts';
export type { Bytes } from './frame.ts';
export type {
  ApplyOptions,
  ApplyProblem,
  PatchedFile,
  PatchResult,
  ReadOptions,
  RejectedHunk,
  TreeFile,
} from './patch.ts';
export type { ChangedPath, Listing, PathClass, PathFinding, PathPolicy, PathReport } from './paths.ts';
export type { Hit, IndexedFile, IndexOptions, Query, SearchIndex, SearchOptions, Skipped } from './search.ts';
export type { Redactor, ScannedText, ScanOptions, SecretFinding } from './secrets.ts';
export type { ChangedFile, WeakeningFinding } from './weakening.ts';
