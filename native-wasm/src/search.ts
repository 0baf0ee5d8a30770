import type { Bytes, Request } from './frame.ts';
import * as glue from './generated/core.js';
import { type Instance, Resident } from './instance.ts';

export interface IndexOptions {
  /** Larger files are not searched (1 MiB). */
  maxFileBytes?: number;
  /** Files with longer lines on the average are not searched (500). */
  maxMeanLineBytes?: number;
}

export interface IndexedFile {
  path: Bytes;
  /** Undefined: the file is gone. */
  contents: Bytes | undefined;
}

/** Why a file is not searched. */
export type Skipped = 'binary' | 'tooLarge' | 'minified' | 'ignored';

export interface Query {
  pattern: Bytes;
  /** The pattern is a regex in the syntax of Rust's regex crate; otherwise it is looked for as it is. */
  regex?: boolean;
  /** Letters match in both cases. */
  anyCase?: boolean;
  /** A hit is no part of a longer word. */
  word?: boolean;
  /** Wildcards of paths, of which one has to match: `*` within a folder, `**` across folders. */
  only?: readonly string[];
  /** Wildcards of paths, of which none may match. */
  not?: readonly string[];
  /** Work, in bytes that are looked at. */
  budget?: number;
}

export interface SearchOptions {
  /** Most hits (100). */
  limit?: number;
  /** Lines shown before each (0). */
  before?: number;
  /** Lines shown behind each (0). */
  behind?: number;
}

export interface Hit {
  path: Uint8Array;
  /** From 1 on. */
  line: number;
  /** In the file, in bytes. */
  start: number;
  end: number;
  shown: {
    /** Number of the first of the lines, from 1 on. */
    line: number;
    /** Where it begins in the file, in bytes. */
    start: number;
    /** The lines, with their line ends. */
    text: Uint8Array;
  };
}

const skips = [undefined, 'binary', 'tooLarge', 'minified', 'ignored'] as const;

/** An index over the files of a repository, which stays in the memory of the core until it is disposed of. */
export class SearchIndex extends Resident {
  constructor(instance: Instance, { maxFileBytes = 0, maxMeanLineBytes = 0 }: IndexOptions = {}) {
    super(instance, glue.disposeIndex, () =>
      instance.call(
        glue.createIndex,
        (request) => request.u32(maxFileBytes).u32(maxMeanLineBytes),
        (answer) => answer.u32(),
      ),
    );
  }

  /**
   * Takes files in, in place of what was known by their paths, or forgets them.
   *
   * @returns for each file why it is not searched
   * @throws CoreError `Size`, `Memory`
   */
  put(files: readonly IndexedFile[]): (Skipped | undefined)[] {
    return this.call(
      glue.putFiles,
      (request) => {
        for (const { path, contents } of files) request.bytes(path).optionalBytes(contents);
      },
      (answer) => files.map(() => skips[answer.u32()]),
    );
  }

  /**
   * The best hits, the best first.
   *
   * @throws CoreError `EmptyPattern`, `Syntax` (with the offset in the pattern), `SpansLines`, `TooComplex`, `Budget`, `Memory`
   */
  search(query: Query, { limit = 100, before = 0, behind = 0 }: SearchOptions = {}): { hits: Hit[]; more: boolean } {
    return this.call(
      glue.search,
      (request) => {
        pattern(request, query);
        request.u32(limit).u32(before).u32(behind);
        paths(request, query);
      },
      (answer) => {
        const more = answer.bool();
        const hits = answer.list(() => ({
          path: answer.bytes(),
          line: answer.u32(),
          start: answer.u32(),
          end: answer.u32(),
          shown: { line: answer.u32(), start: answer.u32(), text: answer.bytes() },
        }));
        return { hits, more };
      },
    );
  }

  /**
   * Counts all hits and the files that have any.
   *
   * @throws CoreError as `search`
   */
  count(query: Query): { hits: number; files: number } {
    return this.call(
      glue.countHits,
      (request) => {
        pattern(request, query);
        paths(request, query);
      },
      (answer) => ({ hits: answer.u64(), files: answer.u32() }),
    );
  }
}

function pattern(request: Request, { pattern, regex = false, anyCase = false, word = false }: Query): void {
  request.bytes(pattern).bool(regex).bool(anyCase).bool(word);
}

function paths(request: Request, { budget = 0, only = [], not = [] }: Query): void {
  request.u64(budget);
  for (const wildcards of [only, not]) {
    request.u32(wildcards.length);
    for (const wildcard of wildcards) request.bytes(wildcard);
  }
}
