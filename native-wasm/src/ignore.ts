import type { Bytes } from './frame.ts';
import * as glue from './generated/core.js';
import type { Instance } from './instance.ts';

/** A `.gitignore`, or what counts as one. */
export interface IgnoreFile {
  /** Where it is, without a slash at either end; empty: the root. */
  folder: Bytes;
  contents: Bytes;
}

export interface IgnorablePath {
  /** From the root, without a slash at either end. */
  path: Bytes;
  /** It is a folder, for which rules that end with a slash are (false). */
  folder?: boolean;
}

/** The rule that decides on a path. */
export interface IgnoreMatch {
  /** False: the rule begins with `!`. */
  ignored: boolean;
  /** Index of the rule file. */
  file: number;
  /** Its line, from 1 on. */
  line: number;
}

/**
 * Looks paths up in rule files, as `git check-ignore --no-index` does. Whoever lists a folder of files that is no repository asks for each level, and does not enter
 * what is ignored, nor `.git`. What is in an ignored folder is ignored, whatever its own rule file says. Cheapest when the paths of one folder follow each other.
 *
 * @param files of several for one folder the later come first: `.git/info/exclude` is given for the root, before its `.gitignore`
 * @returns for each path the rule that decides; undefined: there is none, so it is not ignored
 * @throws CoreError `Size`, `Memory`, `Budget`
 */
export function checkIgnored(
  instance: Instance,
  files: readonly IgnoreFile[],
  paths: readonly IgnorablePath[],
): (IgnoreMatch | undefined)[] {
  return instance.call(
    glue.checkIgnored,
    (request) => {
      request.u32(files.length);
      for (const { folder, contents } of files) request.bytes(folder).bytes(contents);
      for (const { path, folder = false } of paths) request.bytes(path).bool(folder);
    },
    (answer) =>
      paths.map(() =>
        answer.bool() ? { file: answer.u32(), line: answer.u32(), ignored: !answer.bool() } : undefined,
      ),
  );
}
