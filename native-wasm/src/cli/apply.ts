import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { getSystemErrorMessage } from 'node:util';
import type { PatchedFile, PatchResult } from '../patch.ts';
import type { TreeFile } from '../trees.ts';
import { type Command, CommandError, number, parse, type Terminal, text, UsageError } from './command.ts';
import { readInput, readTreeFile, stat, within } from './files.ts';

const help = `Usage: millwright-core apply [options] PATCH

Applies a patch to the files here: all of it or nothing. PATCH is a file, or - for standard input. When the disk fails between the first file and the
last, it says which were changed.

  --check          only say whether it applies
  -R, --reverse    take the changes of the patch back
  --fuzz N         lines of context that a hunk may lose at each end to find a place (0)
  --lenient        take what language models write: a bare @@, wrong counts, names without a/ and b/
  -p, --strip N    leading folders that are removed from names (1)
`;

export const apply: Command = {
  summary: 'apply a patch to the files here, all of it or nothing',
  help,
  run(terminal, args) {
    const { values, positionals } = parse(args, {
      check: { type: 'boolean' },
      reverse: { type: 'boolean', short: 'R' },
      fuzz: { type: 'string' },
      lenient: { type: 'boolean' },
      strip: { type: 'string', short: 'p' },
    });
    const [name, ...rest] = positionals;
    if (name === undefined || rest.length > 0)
      throw new UsageError('apply takes one patch: name a file, or - for standard input');
    const patch = readInput(terminal.cwd, name, terminal.read);
    const options = {
      reverse: values.reverse === true,
      lenient: values.lenient === true,
      fuzz: number('fuzz', values.fuzz, 0),
      strip: number('strip', values.strip, 1),
    };
    const patched = terminal.core.readPatch(patch, options);
    const files = readFiles(terminal, patched);
    const result = terminal.core.applyPatch(patch, files, options);
    if (result.problems.length > 0) {
      terminal.write(problems(result, patched));
      return 1;
    }
    checkPlaces(terminal.cwd, result);
    if (!values.check) write(terminal.cwd, result);
    const done = values.check ? 'would be' : 'are';
    terminal.write(`${result.written.length} files ${done} written, ${result.deleted.length} ${done} deleted\n`);
    return 0;
  },
};

/** What harms in a name, by the violations of paths that the core knows. What else a policy minds is no matter here. */
const harms: Readonly<Record<string, string>> = {
  empty: 'has an empty part',
  here: 'has a part that is read as "."',
  parent: 'leads out of this folder',
  absolute: 'is absolute',
  server: 'is absolute',
  'dot-git': 'leads, or can be read so, into .git',
  ...(process.platform === 'win32'
    ? {
        drive: 'is absolute on Windows',
        backslash: 'has a backslash, which separates folders on Windows',
        device: 'is a device on Windows',
        stream: 'is part of a file on Windows',
      }
    : {}),
};

/** The files here that a patch names, when it is fit to be applied to files at all. */
function readFiles({ core, cwd }: Terminal, patched: readonly PatchedFile[]): TreeFile[] {
  const paths = new Map<string, Buffer>();
  for (const { oldPath, newPath, oldMode, newMode } of patched) {
    for (const path of [oldPath, newPath]) if (path) paths.set(keyOf(path), Buffer.from(path));
    const name = text(newPath ?? oldPath ?? new Uint8Array());
    for (const mode of [oldMode, newMode]) if (mode !== undefined) checkKind(name, mode);
  }
  for (const path of paths.values()) {
    const name = text(path);
    if (path.includes(0)) throw new CommandError(`"${name}" has a NUL in its name: ${NAME_REMEDY}`);
    // One at a time, for what clashes before the patch need not do so behind it.
    const entries = Buffer.concat([Buffer.from(`100644 blob ${'0'.repeat(40)}\t`), path, Buffer.of(0)]);
    for (const { violation } of core.judgePaths({ entries: '' }, { entries }).findings)
      if (harms[violation]) throw new CommandError(`"${name}" ${harms[violation]}: ${NAME_REMEDY}`);
  }
  return [...paths.values()].flatMap((path) => {
    const above = obstacle(cwd, path);
    // Below what the patch itself may take away, nothing is here yet.
    if (above && paths.has(keyOf(above))) return [];
    if (above) throw inTheWay(cwd, path, above);
    const file = readTreeFile(within(cwd, path), path);
    return file ? [file] : [];
  });
}

const NAME_REMEDY = 'change the name in the patch, or see --strip';

function checkKind(name: string, mode: number): void {
  if ((mode & KIND) === 0o160000)
    throw new CommandError(
      `"${name}" is a submodule in the patch: take it out, and check its commit out in the submodule`,
    );
  if ((mode & KIND) !== REGULAR && (mode & KIND) !== SYMLINK)
    throw new CommandError(
      `"${name}" has the mode ${mode.toString(8)} in the patch: make it 100644, 100755, or 120000 for a symlink`,
    );
}

const [KIND, REGULAR, SYMLINK] = [0o170000, 0o100000, 0o120000];

const keyOf = (path: Uint8Array): string => Buffer.from(path).toString('latin1');

/** The folders that a path is in, from the top down. */
function* foldersOf(path: Uint8Array): Generator<Uint8Array> {
  for (let at = path.indexOf(SLASH); at >= 0; at = path.indexOf(SLASH, at + 1)) yield path.subarray(0, at);
}

const SLASH = 0x2f;

/** What is here in place of a folder that a path is in. */
function obstacle(cwd: string, path: Uint8Array): Uint8Array | undefined {
  for (const folder of foldersOf(path)) {
    const found = stat(within(cwd, folder));
    if (!found) return undefined;
    if (!found.isDirectory()) return folder;
  }
  return undefined;
}

function inTheWay(cwd: string, path: Uint8Array, above: Uint8Array): CommandError {
  const [name, folder] = [text(path), text(above)];
  return stat(within(cwd, above))?.isSymbolicLink()
    ? new CommandError(`"${name}" leads through the symlink "${folder}": name the folder that it points to`)
    : new CommandError(`"${name}" needs the folder "${folder}", which is a file here: move the file away`);
}

/** Whether all that is written finds its place, once what is deleted is gone. */
function checkPlaces(cwd: string, { written, deleted }: PatchResult): void {
  const [files, gone] = [new Set(written.map(({ path }) => keyOf(path))), new Set(deleted.map(keyOf))];
  for (const { path, mode } of written) {
    const name = text(path);
    checkKind(name, mode);
    for (const folder of foldersOf(path))
      if (files.has(keyOf(folder)))
        throw new CommandError(
          `the patch makes "${text(folder)}" a file, and a folder for "${name}": take one of them out`,
        );
    const above = obstacle(cwd, path);
    if (above && !gone.has(keyOf(above))) throw inTheWay(cwd, path, above);
    if (above) continue;
    const found = stat(within(cwd, path));
    if (found?.isDirectory() && !isLeftEmpty(cwd, path, gone))
      throw new CommandError(`"${name}" is a file in the patch and a folder here: move the folder away`);
    if (found && !found.isDirectory() && !found.isFile() && !found.isSymbolicLink())
      throw new CommandError(`"${name}" is here, and is neither a file nor a symlink: move it away`);
  }
}

function problems({ problems }: PatchResult, patched: readonly PatchedFile[]): string {
  return problems
    .flatMap(({ file, message, hunks }) => {
      const { newPath, oldPath } = patched[file] ?? {};
      const name = text(newPath ?? oldPath ?? new Uint8Array());
      return hunks.length > 0 ? hunks.map((hunk) => `${name}: ${hunk.message}\n`) : [`${name}: ${message}\n`];
    })
    .join('');
}

/** Whether a folder holds nothing but folders, once what is deleted is gone. */
function isLeftEmpty(cwd: string, folder: Uint8Array, gone: ReadonlySet<string>): boolean {
  return readdirSync(within(cwd, folder), { withFileTypes: true, encoding: 'buffer' }).every((entry) => {
    const path = Buffer.concat([folder, Buffer.of(SLASH), entry.name]);
    return entry.isDirectory() ? isLeftEmpty(cwd, path, gone) : gone.has(keyOf(path));
  });
}

/** Writes all files beside their places, and only then moves them there, so that what has no room or may not be written changes nothing. */
function write(cwd: string, { written, deleted }: PatchResult): void {
  const staged: { path: Uint8Array; file: Buffer }[] = [];
  const done: string[] = [];
  let current: Uint8Array | undefined;
  try {
    for (const { path, mode, contents } of written) {
      current = path;
      const file = beside(cwd, path);
      staged.push({ path, file });
      // Both fail where something has this name already, so that no symlink is followed.
      if ((mode & KIND) === SYMLINK) symlinkSync(Buffer.from(contents), file);
      else writeFileSync(file, contents, { flag: 'wx', mode: mode & 0o100 ? 0o777 : 0o666 });
    }
    // First, since a file may come where a folder was, or differ in case alone.
    for (const path of deleted) {
      current = path;
      unlinkSync(within(cwd, path));
      done.push(`deleted "${text(path)}"`);
      removeLeft(cwd, [...foldersOf(path)].reverse());
    }
    for (const { path, file } of staged) {
      current = path;
      const place = within(cwd, path);
      const folder = [...foldersOf(path)].at(-1);
      if (folder) mkdirSync(within(cwd, folder), { recursive: true });
      if (stat(place)?.isDirectory()) removeFolders(place);
      renameSync(file, place);
      done.push(`wrote "${text(path)}"`);
    }
  } catch (error) {
    for (const { file } of staged) rmSync(file, { force: true });
    const changed = done.length > 0 ? `these changes are made: ${done.join(', ')}` : 'nothing is changed';
    const { errno, message } = error as NodeJS.ErrnoException;
    const why = errno === undefined ? message : getSystemErrorMessage(errno);
    throw new CommandError(`"${text(current ?? new Uint8Array())}" cannot be written or deleted: ${why}; ${changed}`);
  }
}

/** A name that nothing has, in the innermost folder on the way to a path that is here already. */
function beside(cwd: string, path: Uint8Array): Buffer {
  // No secret, so it need not come from `crypto`, which takes long to load.
  const name = Buffer.from(`.millwright-core-${process.pid}-${Math.random().toString(36).slice(2)}`);
  let inner = within(cwd, name);
  for (const folder of foldersOf(path)) {
    const place = within(cwd, folder);
    if (!stat(place)?.isDirectory()) break;
    inner = Buffer.concat([place, Buffer.of(SLASH), name]);
  }
  return inner;
}

/** Takes away the folders that were left empty, from the innermost on, as git does. */
function removeLeft(cwd: string, folders: readonly Uint8Array[]): void {
  for (const folder of folders) {
    const place = within(cwd, folder);
    if (readdirSync(place).length > 0) return;
    rmdirSync(place);
  }
}

function removeFolders(folder: Buffer): void {
  for (const name of readdirSync(folder, { encoding: 'buffer' }))
    removeFolders(Buffer.concat([folder, Buffer.of(SLASH), name]));
  rmdirSync(folder);
}
