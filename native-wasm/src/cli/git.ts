import { execFileSync } from 'node:child_process';
import type { TreeFile } from '../trees.ts';
import { CommandError, text } from './command.ts';

const MAX_OUTPUT_BYTES = 2 ** 31 - 1;

/** The revisions of a repository, by the git that is installed. */
export class Repository {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get isOne(): boolean {
    try {
      return text(this.#git(['rev-parse', '--is-inside-work-tree'])).trim() === 'true';
    } catch {
      return false;
    }
  }

  /** The id of the tree that a name stands for. */
  resolve(revision: string): string {
    try {
      return this.#id(`${revision}^{tree}`);
    } catch {
      throw new CommandError(`"${revision}" is neither here as a file or folder nor a revision of this repository`);
    }
  }

  /** The rules of the repository leave the folder itself out. */
  get isIgnored(): boolean {
    try {
      this.#git(['check-ignore', '--quiet', '.']);
      return true;
    } catch {
      return false;
    }
  }

  /** The tree that a change began from: where two revisions part, or the first where they have nothing in common. */
  resolveBase(base: string, head: string): string {
    // Said first, if one of them is no revision.
    const tree = this.resolve(base);
    this.resolve(head);
    try {
      const commits = [base, head].map((revision) => this.#id(`${revision}^{commit}`));
      return this.resolve(text(this.#git(['merge-base', ...commits])).trim());
    } catch {
      return tree;
    }
  }

  #id(revision: string): string {
    return text(this.#git(['rev-parse', '--verify', '--quiet', '--end-of-options', revision])).trim();
  }

  /** The files below the folder that are tracked, or new and not ignored; from the folder on. */
  files(): Uint8Array[] {
    return records(this.#git(['ls-files', '-z', '--cached', '--others', '--exclude-standard']));
  }

  /** What `git ls-tree -r -z` says of a tree, and where its symlinks lead. */
  listing(tree: string): { entries: Uint8Array; targets: { path: Uint8Array; target: Uint8Array }[] } {
    const entries = this.#git(['ls-tree', '-r', '-z', tree]);
    const links = records(entries)
      .map((record) => ({ tab: record.indexOf(9), record }))
      .filter(({ record }) => startsWith(record, '120000 '));
    const targets = this.#contents(links.map(({ record, tab }) => text(record.subarray(12, tab))));
    return {
      entries,
      targets: links.map(({ record, tab }, at) => ({
        path: record.subarray(tab + 1),
        target: targets[at] ?? new Uint8Array(),
      })),
    };
  }

  /** The files in which two trees differ. */
  changes(before: string, after: string): { before: TreeFile[]; after: TreeFile[] } {
    const fields = records(this.#git(['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', before, after]));
    const sides: [TreeFile[], TreeFile[]] = [[], []];
    const wanted: { side: number; path: Uint8Array; mode: number; id: string }[] = [];
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const [oldMode = '', newMode = '', oldId = '', newId = ''] = text(fields[at] as Uint8Array)
        .slice(1)
        .split(' ');
      const path = fields[at + 1] as Uint8Array;
      for (const [side, mode, id] of [[0, oldMode, oldId] as const, [1, newMode, newId] as const])
        if (!/^0+$/.test(mode)) wanted.push({ side, path, mode: Number.parseInt(mode, 8), id });
    }
    // A submodule is a commit of another repository: there are no contents here.
    const blobs = wanted.filter(({ mode }) => mode !== 0o160000);
    const contents = new Map(this.#contents(blobs.map(({ id }) => id)).map((bytes, at) => [blobs[at], bytes]));
    for (const entry of wanted) {
      const { side, path, mode, id } = entry;
      sides[side]?.push({ path, mode, id, contents: contents.get(entry) ?? new Uint8Array() });
    }
    return { before: sides[0], after: sides[1] };
  }

  /** The contents of blobs, in the order of their ids. */
  #contents(ids: readonly string[]): Uint8Array[] {
    if (ids.length === 0) return [];
    const output = this.#git(['cat-file', '--batch'], ids.map((id) => `${id}\n`).join(''));
    const contents: Uint8Array[] = [];
    for (let at = 0; at < output.length; ) {
      const end = output.indexOf(10, at);
      const [id = '', type = '', size] = text(output.subarray(at, end)).split(' ');
      if (type !== 'blob') throw new CommandError(`object ${id} is missing in this repository: fetch it first`);
      contents.push(output.subarray(end + 1, end + 1 + Number(size)));
      at = end + 1 + Number(size) + 1;
    }
    return contents;
  }

  #git(args: readonly string[], input = ''): Uint8Array {
    try {
      return execFileSync('git', args, {
        cwd: this.#folder,
        input,
        maxBuffer: MAX_OUTPUT_BYTES,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
    } catch (error) {
      const { message, stderr } = error as Error & { stderr?: Uint8Array };
      throw new CommandError(
        `git ${args[0]} in "${this.#folder}" failed: ${text(stderr ?? new Uint8Array()).trim() || message}`,
      );
    }
  }
}

/** What stands between NULs. */
function records(bytes: Uint8Array): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 0, end = bytes.indexOf(0); end >= 0; at = end + 1, end = bytes.indexOf(0, at))
    all.push(bytes.subarray(at, end));
  return all;
}

const startsWith = (bytes: Uint8Array, prefix: string): boolean => text(bytes.subarray(0, prefix.length)) === prefix;
