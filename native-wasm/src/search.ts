import { type Bytes, indexOf, type Request } from './frame.ts';
import * as glue from './generated/core.js';
import { type Instance, Resident } from './instance.ts';
import { type DefinitionKind, definitionKinds, type OutlineEntry, readKind, readOutline } from './outline.ts';

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

/** Which files are searched. */
export interface PathFilter {
  /** Globs of paths, of which the last that matches decides, as in the policies of paths; with none, all files. */
  only?: readonly string[];
  /** The same for what is left out. */
  not?: readonly string[];
  /** Work, in bytes that are looked at. */
  budget?: number;
}

export interface Query extends PathFilter {
  pattern: Bytes;
  /** The pattern is a regex in the syntax of Rust's regex crate; otherwise it is looked for as it is. */
  regex?: boolean;
  /** Letters match in both cases. */
  anyCase?: boolean;
  /** A hit is no part of a longer word. */
  word?: boolean;
}

export interface DefinitionQuery extends PathFilter {
  /** Case matters. */
  name: Bytes;
  /** Longer names that begin with it count too; they come behind those that are just it. */
  prefix?: boolean;
  /** What the definitions may be (anything). */
  kinds?: readonly DefinitionKind[];
  /** Most definitions (100). */
  limit?: number;
}

export interface FoundDefinition {
  path: Uint8Array;
  name: Uint8Array;
  kind: DefinitionKind;
  /** Line of the name, from 1 on. */
  line: number;
  /** Line of the end of its body. */
  lastLine: number;
  /** Where the name is in the file, in bytes. */
  start: number;
  end: number;
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
        (request) => request.u32(maxFileBytes, 'maxFileBytes').u32(maxMeanLineBytes, 'maxMeanLineBytes'),
        (answer) => answer.u32(),
      ),
    );
  }

  /**
   * Takes files in, in place of what was known by their paths, or forgets them. What they define is known from then on. Rules of `.gitignore` are not asked: list files by git,
   * or see `checkIgnored`.
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
   * The best hits, the best first: on the name of a definition, on whole words, others; among those, in files whose path has a hit too, that are neither test nor vendored
   * nor generated, with shorter paths.
   *
   * @throws CoreError `EmptyPattern`, `Syntax` (with the offset in the pattern), `SpansLines`, `TooComplex`, `Glob`, `Budget`, `Memory`
   */
  search(query: Query, { limit = 100, before = 0, behind = 0 }: SearchOptions = {}): { hits: Hit[]; more: boolean } {
    return this.call(
      glue.search,
      (request) => {
        pattern(request, query);
        request.u32(limit, 'limit').u32(before, 'before').u32(behind, 'behind');
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
   * Definitions by name, in files that are neither test nor vendored nor generated first, then by shorter paths.
   *
   * @throws CoreError `Glob`, `Budget`, `Memory`
   */
  definitions(query: DefinitionQuery): { definitions: FoundDefinition[]; more: boolean } {
    const { name, prefix = false, kinds = [], limit = 100 } = query;
    return this.call(
      glue.findDefinitions,
      (request) => {
        request.bytes(name).bool(prefix).u32(limit, 'limit').u32(kinds.length);
        for (const kind of kinds) request.u32(indexOf(definitionKinds, kind, 'kinds'));
        paths(request, query);
      },
      (answer) => {
        const more = answer.bool();
        const definitions = answer.list(() => ({
          path: answer.bytes(),
          name: answer.bytes(),
          kind: readKind(answer),
          line: answer.u32(),
          lastLine: answer.u32(),
          start: answer.u32(),
          end: answer.u32(),
        }));
        return { definitions, more };
      },
    );
  }

  /**
   * What a file defines, in the order of the text; empty when its language is not known.
   *
   * @returns undefined when the file is not searched
   * @throws CoreError `Memory`
   */
  outline(path: Bytes): OutlineEntry[] | undefined {
    return this.call(
      glue.outlineFile,
      (request) => {
        request.bytes(path);
      },
      (answer) => (answer.bool() ? readOutline(answer) : undefined),
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

function paths(request: Request, { budget = 0, only = [], not = [] }: PathFilter): void {
  request.u64(budget, 'budget');
  for (const globs of [only, not]) {
    request.u32(globs.length);
    for (const glob of globs) request.bytes(glob);
  }
}
