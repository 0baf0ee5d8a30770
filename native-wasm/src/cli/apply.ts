import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { PatchedFile, PatchResult } from '../patch.ts';
import { type Command, CommandError, number, parse, type Terminal, text, UsageError } from './command.ts';
import { readInput, readTreeFile, stat } from './files.ts';

const help = `Usage: millwright-core apply [options] PATCH

Applies a patch to the files here: all of it or nothing. PATCH is a file, or - for standard input.

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
    const paths = touched(terminal, patched);
    const files = paths.flatMap((path) => {
      const file = readTreeFile(resolve(terminal.cwd, path), path);
      return file ? [file] : [];
    });
    const result = terminal.core.applyPatch(patch, files, options);
    if (result.problems.length > 0) {
      terminal.write(problems(result, patched));
      return 1;
    }
    if (!values.check) write(terminal.cwd, result);
    const done = values.check ? 'would be' : 'are';
    terminal.write(`${result.written.length} files ${done} written, ${result.deleted.length} ${done} deleted\n`);
    return 0;
  },
};

/** The paths of a patch: none leads out of the folder or into `.git`, and nothing is in the way of any. */
function touched({ core, cwd }: Terminal, patched: readonly PatchedFile[]): string[] {
  const all = patched.flatMap(({ oldPath, newPath }) => [oldPath, newPath].filter((path) => path !== undefined));
  const paths = [...new Set(all.map(text))];
  const entries = paths.map((path) => `100644 blob ${'0'.repeat(40)}\t${path}\0`).join('');
  const classes = {
    ci: 'allow',
    ownership: 'allow',
    hooks: 'allow',
    'agent-instructions': 'allow',
    'git-settings': 'allow',
  } as const;
  const { findings } = core.judgePaths({ entries: '' }, { entries }, { classes });
  if (findings.length > 0) throw new CommandError(findings.map(({ message }) => message).join('\n'));
  for (const path of paths) {
    // From the top down, since nothing can be asked about what is below a file.
    const folders = path.split('/').slice(0, -1);
    for (const depth of folders.keys()) {
      const folder = folders.slice(0, depth + 1).join('/');
      const found = stat(resolve(cwd, folder));
      if (found?.isSymbolicLink())
        throw new CommandError(`"${path}" leads through the symlink "${folder}": name the folder that it points to`);
      if (found && !found.isDirectory())
        throw new CommandError(`"${path}" needs the folder "${folder}", which is a file here: move the file away`);
    }
    if (stat(resolve(cwd, path))?.isDirectory())
      throw new CommandError(`"${path}" is a file in the patch and a folder here: move the folder away`);
  }
  return paths;
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

/** Writes each file beside its place and moves it there, so that none is ever half of one. */
function write(cwd: string, { written, deleted }: PatchResult): void {
  for (const { path, mode, contents } of written) {
    const file = resolve(cwd, text(path));
    const beside = join(dirname(file), `.millwright-core-${process.pid}`);
    mkdirSync(dirname(file), { recursive: true });
    if (mode === 0o120000) symlinkSync(Buffer.from(contents), beside);
    else writeFileSync(beside, contents, { mode: mode & 0o777 });
    renameSync(beside, file);
  }
  for (const path of deleted) rmSync(resolve(cwd, text(path)));
}
