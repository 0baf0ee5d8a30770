import { type DiffOptions, writeOptions } from './diff.ts';
import { type Bytes, bytes, given, type Request, u32 } from './frame.ts';
import * as glue from './generated/core.js';
import type { Instance } from './instance.ts';

export interface TreeFile {
  path: Bytes;
  /** 0o100644, 0o100755, 0o120000 for a symlink, 0o160000 for a submodule. */
  mode: number;
  /** Of a symlink what it points to, of a submodule nothing. */
  contents: Bytes;
  /** The object id in hexadecimal digits, where it is known: equal ones are equal contents. A submodule must have one to be compared. */
  id?: string;
}

export interface TreeDiffOptions extends DiffOptions {
  /** Least similarity of a renamed file, in percent (50); false: renames are not looked for. */
  renames?: number | false;
  /** The square root of how many pairs of files are compared for renames at most (1000), as `diff.renameLimit` of git. */
  renameLimit?: number;
  /** Quote names with characters above ASCII in patches, as git does by default (true). */
  quotePath?: boolean;
}

/** What has changed at a path. */
export interface FileDiff {
  change: 'modify' | 'create' | 'delete' | 'rename';
  oldPath?: Uint8Array;
  newPath?: Uint8Array;
  oldMode?: number;
  newMode?: number;
  /** Of a rename, in percent. */
  similarity?: number;
  /** Lines. */
  added: number;
  /** Lines. */
  removed: number;
  /** No text: the patch only says that the contents differ, which no tool can apply. */
  binary: boolean;
  /** The budget was spent: the diff is right, but not as small as it could be. */
  degraded: boolean;
  /** The part of this file in the patch, which is all of them one behind the other. */
  patch: Uint8Array;
}

export interface TreeDiff {
  /** By path. */
  files: FileDiff[];
  /** Too many files, or too small a budget, to find all renames. */
  degraded: boolean;
}

const changes = ['modify', 'create', 'delete', 'rename'] as const;

/**
 * Compares two trees of files, as `git diff --histogram -M` does. Files that did not change need not be given.
 *
 * @throws CoreError `Tree` (with the index of the entry), `Size`, `Memory`
 */
export function diffTrees(
  instance: Instance,
  before: readonly TreeFile[],
  after: readonly TreeFile[],
  options: TreeDiffOptions = {},
): TreeDiff {
  const { renames = 50, renameLimit = 0, quotePath = true } = options;
  return instance.call(
    glue.diffTrees,
    (request) => {
      writeOptions(request, options);
      request
        .bool(quotePath)
        .u32(renames === false ? 0 : renames, 'renames')
        .u32(renameLimit, 'renameLimit');
      for (const tree of [before, after]) writeTree(request, tree);
    },
    (answer) => ({
      degraded: answer.bool(),
      files: answer.list((): FileDiff => {
        const change = changes[answer.u32()] ?? 'modify';
        const [oldPath, newPath] = [answer.optional(bytes), answer.optional(bytes)];
        const [oldMode, newMode] = [answer.optional(u32), answer.optional(u32)];
        const similarity = answer.u32();
        return {
          change,
          ...given({ oldPath, newPath, oldMode, newMode, similarity: change === 'rename' ? similarity : undefined }),
          added: answer.u32(),
          removed: answer.u32(),
          binary: answer.bool(),
          degraded: answer.bool(),
          patch: answer.bytes(),
        };
      }),
    }),
  );
}

function writeTree(request: Request, tree: readonly TreeFile[]): void {
  request.u32(tree.length);
  for (const { path, mode, contents, id } of tree)
    request.bytes(path).u32(mode, 'mode').optionalBytes(id).bytes(contents);
}
