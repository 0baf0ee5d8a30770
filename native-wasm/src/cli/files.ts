import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Core } from '../core.ts';
import type { TreeFile } from '../trees.ts';
import { CommandError, type Terminal } from './command.ts';
import { Repository } from './git.ts';

const encoder = new TextEncoder();

export function stat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** A file or symlink as it is on disk, under another name; undefined: it is neither, or not there. */
export function readTreeFile(file: string, path: string): TreeFile | undefined {
  const found = stat(file);
  if (found?.isSymbolicLink()) return { path, mode: 0o120000, contents: readlinkSync(file, { encoding: 'buffer' }) };
  if (!found?.isFile()) return undefined;
  return { path, mode: found.mode & 0o100 ? 0o100755 : 0o100644, contents: readFileSync(file) };
}

/** All files below a folder, `.git` aside. */
export function walk(folder: string): string[] {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split('/').includes('.git'))
    .sort();
}

/** The files below a folder that no `.gitignore` there names. */
function unignored(core: Core, root: string): string[] {
  const files: string[] = [];
  const rules: { folder: string; contents: Uint8Array }[] = [];
  for (let folders = ['']; folders.length > 0; ) {
    for (const folder of folders) {
      const rule = join(root, folder, '.gitignore');
      if (stat(rule)?.isFile()) rules.push({ folder, contents: readFileSync(rule) });
    }
    const found = folders.flatMap((folder) =>
      readdirSync(join(root, folder), { withFileTypes: true })
        .filter(({ name }) => name !== '.git')
        .map((entry) => ({ path: join(folder, entry.name), folder: entry.isDirectory(), isFile: entry.isFile() })),
    );
    const matches = core.checkIgnored(rules, found);
    const kept = found.filter((_, at) => !matches[at]?.ignored);
    files.push(...kept.filter(({ isFile }) => isFile).map(({ path }) => path));
    folders = kept.filter(({ folder }) => folder).map(({ path }) => path);
  }
  return files.sort();
}

/** The files that paths name; of folders those that are not ignored. From `cwd` on. */
export function namedFiles({ core, cwd }: Terminal, paths: readonly string[]): string[] {
  const repository = new Repository(cwd);
  const isRepository = repository.isOne;
  const all = new Set<string>();
  for (const path of paths.length > 0 ? paths : ['.']) {
    const found = stat(resolve(cwd, path));
    if (!found) throw new CommandError(`there is no "${path}": name a file or folder`);
    if (!found.isDirectory()) all.add(path);
    else if (isRepository) for (const file of repository.files([path])) all.add(file);
    else for (const file of unignored(core, resolve(cwd, path))) all.add(join(path, file));
  }
  return [...all].filter((file) => stat(resolve(cwd, file))?.isFile());
}

/** Hands over files with their contents, some megabytes at a time. */
export function* inBatches(cwd: string, files: readonly string[]): Generator<{ path: string; contents: Uint8Array }[]> {
  let batch: { path: string; contents: Uint8Array }[] = [];
  let bytes = 0;
  for (const path of files) {
    const contents = readFileSync(resolve(cwd, path));
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
  if (!stat(resolve(cwd, name))) throw new CommandError(`there is no file "${name}"; - is standard input`);
  return readFileSync(resolve(cwd, name));
};

export const bytesOf = (contents: Uint8Array | string): Uint8Array =>
  typeof contents === 'string' ? encoder.encode(contents) : contents;
