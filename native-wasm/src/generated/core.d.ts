/* tslint:disable */
/* eslint-disable */

declare function __wbg_reset_state(): void;

/**
 * Where the last answer is; it is there until the next call.
 */
export function answerAt(): number;

/**
 * Makes search and replace edits in a file, all of them or none.
 *
 * Request: the contents, if there is a file; for each edit two byte strings and whether all occurrences are meant. Answer: whether they were made;
 * if so the contents and a table of edit, old start, old end, new start and new end; if not, for each wrong edit its number, its kind, what is wrong
 * as a sentence, and a table of lines.
 */
export function applyEdits(): number;

/**
 * Applies a patch to a set of files.
 *
 * Request: whether lenient, folders to strip, whether reversed, fuzz, the patch; for each file its path, mode and contents. Answer: for each file of the patch, after their number,
 * whether it was applied, and if not why: a kind, a sentence, and the rejected hunks with their number, offset in the patch, kind and sentence; then the number of written
 * files with path, mode and contents, and the number of deleted paths with each.
 */
export function applyPatch(): number;

/**
 * Looks paths up in rule files, as `git check-ignore --no-index` does. Request: the number of rule files, and of each its folder and its contents, those of one folder in
 * ascending order of precedence; for each path the path and whether it is a folder. Answer: for each path whether a rule decides on it; if so the
 * index of the rule file, the line, whether the rule begins with `!`.
 */
export function checkIgnored(): number;

/**
 * Checks a patch alone.
 *
 * Request: whether lenient, folders to strip, the patch. Answer: the number of findings, and of each the file and the hunk, where its line is in the patch, the side (0 old, 1
 * new), the line, the kind, the confidence (0 low, 1 medium, 2 high), and what is weaker.
 */
export function checkPatchWeakening(): number;

/**
 * Checks whether a change weakens the tests.
 *
 * Request: for each changed file its path, and its contents before and after, each if there are any. Answer: the number of findings, and of each the file, the side
 * (0 old, 1 new), the line, start, end, the kind, the confidence (0 low, 1 medium, 2 high), and what is weaker.
 */
export function checkWeakening(): number;

/**
 * Counts hits. Request: the number of the index, the pattern, whether it is a regex, any case, word, budget, two lists of globs. Answer: hits (u64), documents.
 */
export function countHits(): number;

/**
 * Makes an empty index. Request: most bytes of a file, most bytes of a line on the average; 0: the usual. Answer: its number.
 */
export function createIndex(): number;

/**
 * Makes a redactor. Request: the known secrets. Answer: its number.
 */
export function createRedactor(): number;

/**
 * Compares pairs of texts.
 *
 * Request: the options (see `Asked`), whether words are wanted, then for each pair two byte strings. Answer: for each pair lines added, lines removed, whether
 * degraded, the hunks as a byte string, a table with the first and the end line before and after of each change; with words, for each change whether
 * there are any, and two tables of ranges.
 */
export function diffTexts(): number;

/**
 * Compares two trees.
 *
 * Request: the options (see `Asked`), whether names are quoted, the least similarity of a rename in percent (0: there are none), the limit of their search (0: the
 * usual), and for each tree the number of its entries, and of each path, mode, the object id if it is known, and contents. Answer: whether degraded, the
 * number of changed files, and of each what happens (0 modify, 1 create, 2 delete, 3 rename), old path, new path, old mode and new mode, each after whether there
 * is one, the similarity, lines added, lines removed, whether binary, whether degraded, and its patch.
 */
export function diffTrees(): number;

/**
 * Lets go of an index.
 */
export function disposeIndex(number: number): void;

/**
 * Lets go of a redactor.
 */
export function disposeRedactor(number: number): void;

/**
 * Finds definitions by name. Request: the number of the index, the name, whether it is the beginning of names, the limit, a list of kinds (empty: all), budget
 * (u64; 0: the usual), two lists of globs: only, not. Answer: whether there is more; the number of definitions, and of each path, name, kind, line,
 * last line, start and end of the name.
 */
export function findDefinitions(): number;

/**
 * Judges the change from one tree to another.
 *
 * Request: the two listings as `git ls-tree -r -z` writes them, each followed by the number of symlinks and for each its path and its target; then lists of byte strings, each
 * after its length: globs that allow, globs that deny, classes with a verdict each (0 allow, 1 report, 2 deny), tolerated violations. Answer: the number of
 * changed paths, and of each the path, its canonical form, what happened (0 added, 1 modified, 2 deleted, 3 affected), the classes by name; the number of findings, and of
 * each the index of its path, the violation by name, a sentence.
 */
export function judgePaths(): number;

/**
 * Lists what a file of an index defines. Request: the number of the index, the path. Answer: whether the file is in the index; if so its definitions, as
 * `outline_texts` writes them.
 */
export function outlineFile(): number;

/**
 * Lists what texts define.
 *
 * Request: for each text its path, which says the language, and its contents. Answer: for each text whether its language is known; if so the number
 * of its definitions, and of each its name, its kind (0 function, 1 method, 2 class, 3 interface, 4 implementation, 5 type, 6 module, 7 constant, 8 macro, 9 test),
 * line, last line, start and end of the name, start and end of the whole, the place of the definition around it in the list plus one (0: there is none).
 */
export function outlineTexts(): number;

/**
 * Takes files in, or forgets them. Request: the number of the index; for each file its path and its contents, if it still is. Answer: for each file why it
 * is not searched (0 it is, 1 binary, 2 too large, 3 minified, 4 ignored).
 */
export function putFiles(): number;

/**
 * Reads a patch.
 *
 * Request: whether lenient, folders to strip, the patch. Answer: the number of files, and of each what happens (0 modify, 1 create, 2 delete, 3 rename, 4 copy),
 * where it is in the patch, its old path and new path, its old and new mode and the similarity, each after whether there is one, whether it is binary, the number of hunks,
 * and of each where it is in the patch, old start, old lines, new start, new lines (u64), whether they say a place, and what stands behind them.
 */
export function readPatch(): number;

/**
 * Passes a chunk of a stream through a redactor. Request: its number, whether the stream ends with the chunk, the chunk. Answer: what can be shown.
 */
export function redact(): number;

/**
 * Makes room for a request of so many bytes and returns where it is to be written. 0: there is no memory for it.
 */
export function requestAt(len: number): number;

/**
 * Lets the next call find a fresh instance: after a trap, or to give back memory.
 */
export function restart(): void;

/**
 * Finds the secrets of texts.
 *
 * Request: whether comments may allow secrets; for each text its path and its bytes. Answer: for each text the number of findings, and of each the rule,
 * a preview, the severity (0 suspect, 1 medium, 2 high), start, end, line and column.
 */
export function scanSecrets(): number;

/**
 * Searches. Request: the number of the index, the pattern, whether it is a regex, any case, word, the limit, lines before, lines behind, budget (u64; 0: the
 * usual), two lists of globs: only, not. Answer: whether there is more; the number of hits, and of each path, line, start, end, the first line shown, the lines.
 */
export function search(): number;

/**
 * Sets the key of all hash tables, which nobody who writes an input may know.
 */
export function setSeed(low: number, high: number): void;

/**
 * The glue calls it in each fresh instance.
 */
export function start(): void;

/**
 * The memory of the instance. A view of it is void after each call, since the memory may have grown.
 */
export function wasmMemory(): any;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly disposeIndex: (a: number) => void;
    readonly disposeRedactor: (a: number) => void;
    readonly requestAt: (a: number) => number;
    readonly setSeed: (a: number, b: number) => void;
    readonly start: () => void;
    readonly answerAt: () => number;
    readonly applyEdits: () => number;
    readonly applyPatch: () => number;
    readonly checkIgnored: () => number;
    readonly checkPatchWeakening: () => number;
    readonly checkWeakening: () => number;
    readonly countHits: () => number;
    readonly createIndex: () => number;
    readonly createRedactor: () => number;
    readonly diffTexts: () => number;
    readonly diffTrees: () => number;
    readonly findDefinitions: () => number;
    readonly judgePaths: () => number;
    readonly outlineFile: () => number;
    readonly outlineTexts: () => number;
    readonly putFiles: () => number;
    readonly readPatch: () => number;
    readonly redact: () => number;
    readonly restart: () => void;
    readonly scanSecrets: () => number;
    readonly search: () => number;
    readonly wasmMemory: () => any;
    readonly __wbindgen_externrefs: WebAssembly.Table;
    readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
