/** Two trees of a repository, and what changed between them. */
import type { Listing } from '@millwright/native-wasm';
import { gitBytes, type ObjectOptions, readContents, TooLargeError } from './objects.ts';

/** Of a list of all files of a tree, in bytes: hundreds of thousands of them. */
const LISTING = 32 * 1024 * 1024;
/** A symlink leads to a path; what is longer is none, which its beginning shows as well. */
const MAX_TARGET = 8 * 1024;

/** A file that differs between two trees. */
export interface ChangedEntry {
  /** Each byte is a character. */
  path: string;
  /** The blob before and after; undefined where there is none: no such file, or a submodule. */
  before?: string;
  after?: string;
}

const SYMLINK = '120000';
const isBlob = (mode: string): boolean => mode !== '000000' && mode !== '160000';

/** Everything in the tree of a commit, with where its symlinks lead. */
export async function listTree(commit: string, options: ObjectOptions): Promise<Listing> {
  const limit = { bytes: LISTING, what: 'the list of all files' };
  const entries = await gitBytes(['ls-tree', '-r', '-z', commit], options, limit);
  const links = linksOf(entries);
  const contents = await readContents([...new Set(links.map(({ id }) => id))], options, ({ size }) => {
    if (size > MAX_TARGET) throw new TooLargeError(`a symlink of ${size} bytes`);
    return true;
  });
  return { entries, targets: links.map(({ path, id }) => ({ path, target: contents.get(id) ?? Buffer.alloc(0) })) };
}

/** The symlinks of a listing: records `<mode> <type> <hash>\t<path>\0`. */
function linksOf(entries: Buffer): { path: Buffer; id: string }[] {
  const links: { path: Buffer; id: string }[] = [];
  for (let at = 0; at < entries.length; ) {
    const end = entries.indexOf(0, at);
    const record = entries.subarray(at, end < 0 ? entries.length : end);
    at += record.length + 1;
    if (record.toString('latin1', 0, SYMLINK.length) !== SYMLINK) continue;
    const tab = record.indexOf(9);
    links.push({ path: record.subarray(tab + 1), id: record.toString('latin1', 0, tab).split(' ')[2] ?? '' });
  }
  return links;
}

/** What differs, file by file: a file that moved is one that is gone and one that is new. */
export async function listChanges(base: string, commit: string, options: ObjectOptions): Promise<ChangedEntry[]> {
  const limit = { bytes: LISTING, what: 'the list of changed files' };
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', base, commit];
  const fields = (await gitBytes(args, options, limit)).toString('latin1').split('\0');
  const changes: ChangedEntry[] = [];
  // Records `:<mode> <mode> <hash> <hash> <letter>\0<path>\0`.
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [before = '', after = '', old = '', now = ''] = (fields[at] ?? '').slice(1).split(' ');
    const path = fields[at + 1] ?? '';
    changes.push({ path, ...(isBlob(before) ? { before: old } : {}), ...(isBlob(after) ? { after: now } : {}) });
  }
  return changes;
}

/** What a history brings. */
export interface NewObject {
  id: string;
  /** Of a blob, the first it has; each byte is a character. A commit has none. */
  path?: string;
}

/** What the history up to a commit has and that of the base has not: commits, which have messages, and blobs, in whatever version of a file. */
export async function listNewObjects(base: string, commit: string, options: ObjectOptions): Promise<NewObject[]> {
  const limit = { bytes: LISTING, what: 'the list of new objects' };
  const list = async (...args: string[]) => {
    const said = await gitBytes(['rev-list', ...args, commit, '--not', base], options, limit);
    return said.toString('latin1').split('\n').filter(Boolean);
  };
  const [commits, objects] = await Promise.all([list(), list('--objects', '--filter=object:type=blob')]);
  const blobs = objects.flatMap((line): NewObject[] => {
    const space = line.indexOf(' ');
    // The commit itself, and the tree at the top, have no path.
    return space > 0 && space < line.length - 1 ? [{ id: line.slice(0, space), path: line.slice(space + 1) }] : [];
  });
  return [...commits.map((id): NewObject => ({ id })), ...blobs];
}
