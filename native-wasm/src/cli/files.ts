import { lstatSync, type PathLike, readdirSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { join, normalize, resolve } from 'node:path';
import type { Core } from '../core.ts';
import type { Bytes } from '../frame.ts';
import type { TreeFile } from '../trees.ts';
import { CommandError, type Terminal } from './command.ts';
import { Repository } from './git.ts';

const encoder = new TextEncoder();
const SLASH = Buffer.from('/');
const ROOT = Buffer.alloc(0);

export function stat(path: PathLike): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** A file or symlink as it is on disk, under another name; undefined: it is neither, or not there. */
export function readTreeFile(file: PathLike, path: Bytes): TreeFile | undefined {
  const found = stat(file);
  if (found?.isSymbolicLink()) return { path, mode: 0o120000, contents: readlinkSync(file, { encoding: 'buffer' }) };
  if (!found?.isFile()) return undefined;
  return { path, mode: found.mode & 0o100 ? 0o100755 : 0o100644, contents: readFileSync(file) };
}

interface Entry {
  /** From the root on. */
  path: Buffer;
  kind: 'file' | 'folder' | 'symlink' | 'other';
}

/** What is in a folder, `.git` aside. Names are bytes: they need not be UTF-8. */
function entries(root: string, folder: Buffer): Entry[] {
  return readdirSync(within(root, folder), { withFileTypes: true, encoding: 'buffer' })
    .filter(({ name }) => name.toString('latin1') !== '.git')
    .map((entry) => ({
      path: folder.length === 0 ? entry.name : Buffer.concat([folder, SLASH, entry.name]),
      kind: entry.isDirectory() ? 'folder' : entry.isFile() ? 'file' : entry.isSymbolicLink() ? 'symlink' : 'other',
    }));
}

export const within = (root: string, path: Uint8Array): Buffer => Buffer.concat([Buffer.from(root), SLASH, path]);

/** All files and symlinks below a folder, `.git` aside. */
export function walk(root: string): Buffer[] {
  const files: Buffer[] = [];
  for (let folders: Buffer[] = [ROOT]; folders.length > 0; ) {
    const found = folders.flatMap((folder) => entries(root, folder));
    files.push(...found.filter(({ kind }) => kind === 'file' || kind === 'symlink').map(({ path }) => path));
    folders = found.filter(({ kind }) => kind === 'folder').map(({ path }) => path);
  }
  return files.sort(Buffer.compare);
}

/** The files below a folder that no `.gitignore` there names. */
function unignored(core: Core, root: string): Buffer[] {
  const files: Buffer[] = [];
  const rules: { folder: Uint8Array; contents: Uint8Array }[] = [];
  for (let folders: Buffer[] = [ROOT]; folders.length > 0; ) {
    for (const folder of folders) {
      const rule = within(root, Buffer.concat([folder, SLASH, Buffer.from('.gitignore')]));
      if (stat(rule)?.isFile()) rules.push({ folder, contents: readFileSync(rule) });
    }
    const found = folders.flatMap((folder) => entries(root, folder));
    const matches = core.checkIgnored(
      rules,
      found.map(({ path, kind }) => ({ path, folder: kind === 'folder' })),
    );
    const kept = found.filter((_, at) => !matches[at]?.ignored);
    files.push(...kept.filter(({ kind }) => kind === 'file').map(({ path }) => path));
    folders = kept.filter(({ kind }) => kind === 'folder').map(({ path }) => path);
  }
  return files.sort(Buffer.compare);
}

export interface NamedFile {
  /** From `cwd` on, to be shown. */
  path: Buffer;
  /** Where it is on disk. */
  file: string | Buffer;
}

/** The files that paths name; of folders those that are not ignored. Symlinks are followed where they are named, and nowhere else. */
export function namedFiles({ core, cwd }: Terminal, paths: readonly string[]): NamedFile[] {
  const all = new Map<string, NamedFile>();
  const add = (named: NamedFile) => all.set(named.path.toString('latin1'), named);
  for (const path of paths.length > 0 ? paths : ['.']) {
    const root = resolve(cwd, path);
    const found = statSync(root, { throwIfNoEntry: false });
    if (!found) throw new CommandError(`there is no "${path}": name a file or folder`);
    if (found.isFile()) add({ path: Buffer.from(normalize(path)), file: root });
    else if (!found.isDirectory())
      throw new CommandError(`"${path}" is neither a file nor a folder: save what it gives as a file, and name that`);
    else {
      // From the folder itself on: it may be in another repository, or in none.
      const repository = new Repository(root);
      const files = repository.isOne && !repository.isIgnored ? repository.files() : unignored(core, root);
      const prefix = Buffer.from(join(path, '/').replace(/^\.\/$/, ''));
      for (const file of files) {
        const onDisk = within(root, file);
        // What is deleted is still tracked, and symlinks and submodules are too.
        if (stat(onDisk)?.isFile()) add({ path: Buffer.concat([prefix, file]), file: onDisk });
      }
    }
  }
  return [...all.values()];
}

/** Hands over files with their contents, some megabytes at a time. */
export function* inBatches(files: readonly NamedFile[]): Generator<{ path: Uint8Array; contents: Uint8Array }[]> {
  let batch: { path: Uint8Array; contents: Uint8Array }[] = [];
  let bytes = 0;
  for (const { path, file } of files) {
    const contents = readFileSync(file);
    batch.push({ path, contents });
    bytes += contents.length;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

const BATCH_BYTES = 16 << 20;

/** The contents of a text that is named, or `-` for standard input. */
export const readInput = (cwd: string, name: string, stdin: () => Uint8Array): Uint8Array => {
  if (name === '-') return stdin();
  const found = statSync(resolve(cwd, name), { throwIfNoEntry: false });
  if (!found) throw new CommandError(`there is no file "${name}"; - is standard input`);
  if (found.isDirectory()) throw new CommandError(`"${name}" is a folder: name a file, or - for standard input`);
  return readFileSync(resolve(cwd, name));
};

export const bytesOf = (contents: Bytes): Uint8Array =>
  typeof contents === 'string' ? encoder.encode(contents) : contents;
