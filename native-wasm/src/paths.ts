import { type Bytes, indexOf, type Request } from './frame.ts';
import * as glue from './generated/core.js';
import type { Instance } from './instance.ts';

/** A tree of files. */
export interface Listing {
  /** What `git ls-tree -r -z` writes. */
  entries: Bytes;
  /** Where symlinks lead, by path. Those that are new and not here are refused. */
  targets?: readonly { path: Bytes; target: Bytes }[];
}

/** What kind of file a path is, beside source code. */
export type PathClass =
  | 'ci'
  | 'ownership'
  | 'hooks'
  | 'agent-instructions'
  | 'git-settings'
  | 'lockfile'
  | 'manifest'
  | 'migration'
  | 'test'
  | 'build'
  | 'submodule'
  | 'link'
  | 'executable';

export interface PathPolicy {
  /** Globs of the paths that may change, of which the last that matches decides; with none, all may. */
  allow?: readonly string[];
  /** Globs of the paths that may not, whatever is allowed. */
  deny?: readonly string[];
  /** What to do about classes, where it is not the usual: what guards the repository or instructs agents is denied, the rest reported. */
  classes?: Partial<Record<PathClass, 'allow' | 'report' | 'deny'>>;
  /** Violations that are no matter here. */
  tolerated?: readonly string[];
}

export interface ChangedPath {
  path: Uint8Array;
  /** The form that two paths share when some file system may take one for the other. */
  canonical: Uint8Array;
  /** `affected`: it is as it was, but leads elsewhere now. */
  change: 'added' | 'modified' | 'deleted' | 'affected';
  /** Those that the policy does not simply allow. */
  classes: readonly PathClass[];
}

export interface PathFinding {
  /** Index of the changed path. */
  path: number;
  violation: string;
  /** Which path, what is wrong, what to change. */
  message: string;
}

export interface PathReport {
  paths: readonly ChangedPath[];
  /** Empty: the change may be. */
  findings: readonly PathFinding[];
}

const verdicts = ['allow', 'report', 'deny'] as const;
const changes = ['added', 'modified', 'deleted', 'affected'] as const;

/**
 * Judges the change from one tree to another: what no path may be on any system, where symlinks lead, what a policy allows. What was there before is
 * no fault of the change.
 *
 * @throws CoreError `Listing` (with offset and record), `Glob`, `Policy`, `Intolerable`, `Size`, `Memory`, `Budget`
 */
export function judgePaths(instance: Instance, before: Listing, after: Listing, policy: PathPolicy = {}): PathReport {
  const { allow = [], deny = [], classes = {}, tolerated = [] } = policy;
  return instance.call(
    glue.judgePaths,
    (request) => {
      for (const { entries, targets = [] } of [before, after]) {
        request.bytes(entries).u32(targets.length);
        for (const { path, target } of targets) request.bytes(path).bytes(target);
      }
      strings(request, allow);
      strings(request, deny);
      const named = Object.entries(classes);
      request.u32(named.length);
      for (const [name, verdict] of named) request.bytes(name).u32(indexOf(verdicts, verdict, `classes.${name}`));
      strings(request, tolerated);
    },
    (answer) => ({
      paths: answer.list(() => ({
        path: answer.bytes(),
        canonical: answer.bytes(),
        change: changes[answer.u32()] ?? 'modified',
        classes: answer.text().split(',').filter(Boolean) as PathClass[],
      })),
      findings: answer.list(() => ({ path: answer.u32(), violation: answer.text(), message: answer.text() })),
    }),
  );
}

function strings(request: Request, all: readonly string[]): void {
  request.u32(all.length);
  for (const each of all) request.bytes(each);
}
