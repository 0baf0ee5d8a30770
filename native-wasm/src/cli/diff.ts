import { readFileSync, statSync } from 'node:fs';
import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import type { TextDiff, TextDiffOptions } from '../diff.ts';
import type { FileDiff, TreeDiff, TreeDiffOptions, TreeFile } from '../trees.ts';
import { type Command, number, parse, type Terminal, text, UsageError } from './command.ts';
import { readTreeFile, walk, within } from './files.ts';
import { Repository } from './git.ts';

const help = `Usage: millwright-core diff [options] BEFORE AFTER

Compares two files, two folders, or two revisions of the repository here, and prints a patch that git applies. That of two files makes BEFORE what AFTER
is, so it has the name of BEFORE on both sides. Of files that are no text it only says that they differ.

  -U, --context N          unchanged lines around each change (3)
  --ignore-space-at-eol    white space at the ends of lines does not count
  -w, --ignore-all-space   no white space counts
  --no-renames             do not look for renamed files
  --stat                   only numbers of lines
  --words                  changed words within lines, [-gone-] and {+new+}; files only
`;

export const diff: Command = {
  summary: 'compare files, folders or revisions',
  help,
  run(terminal, args) {
    const { values, positionals } = parse(args, {
      context: { type: 'string', short: 'U' },
      'ignore-space-at-eol': { type: 'boolean' },
      'ignore-all-space': { type: 'boolean', short: 'w' },
      'no-renames': { type: 'boolean' },
      stat: { type: 'boolean' },
      words: { type: 'boolean' },
    });
    const [before, after, ...rest] = positionals;
    if (before === undefined || after === undefined || rest.length > 0)
      throw new UsageError('diff compares two things: name two files, two folders or two revisions');
    const options: TreeDiffOptions & TextDiffOptions = {
      context: number('context', values.context, 3),
      ...(values['ignore-all-space'] ? { ignoreWhitespace: 'all' } : {}),
      ...(values['ignore-space-at-eol'] ? { ignoreWhitespace: 'atLineEnd' } : {}),
      ...(values['no-renames'] ? { renames: false } : {}),
    };
    const kinds = [before, after].map((name) => kindOf(resolve(terminal.cwd, name)));
    if (kinds[0] === 'file' && kinds[1] === 'file')
      return diffFiles(terminal, before, after, { ...options, words: values.words === true }, values.stat === true);
    if (values.words) throw new UsageError('--words is for two files: name a file on each side');
    const trees =
      kinds[0] === 'folder' && kinds[1] === 'folder'
        ? { before: readFolder(resolve(terminal.cwd, before)), after: readFolder(resolve(terminal.cwd, after)) }
        : revisions(terminal, before, after);
    return print(terminal, terminal.core.diffTrees(trees.before, trees.after, options), values.stat === true);
  },
};

/** What can be read counts as a file, such as the pipe of a shell. */
function kindOf(path: string): 'file' | 'folder' | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && (found.isDirectory() ? 'folder' : 'file');
}

const readFolder = (folder: string): TreeFile[] =>
  walk(folder).flatMap((path) => readTreeFile(within(folder, path), path) ?? []);

function revisions({ cwd }: Terminal, before: string, after: string): { before: TreeFile[]; after: TreeFile[] } {
  const repository = new Repository(cwd);
  return repository.changes(repository.resolve(before), repository.resolve(after));
}

function print(terminal: Terminal, diff: TreeDiff, statOnly: boolean): number {
  // Without a patch only white space has changed that does not count.
  const files = diff.files.filter(({ patch }) => patch.length > 0);
  if (statOnly) terminal.write(files.map((file) => `${numbers(file)}\t${nameOf(file)}\n`).join(''));
  else for (const { patch } of files) terminal.write(patch);
  if (diff.degraded) console.error('There are too many files to look for all renames.');
  return files.length === 0 ? 0 : 1;
}

const numbers = ({ binary, added, removed }: FileDiff): string => (binary ? '-\t-' : `${added}\t${removed}`);

function nameOf({ oldPath, newPath, change }: FileDiff): string {
  const [before, after] = [oldPath, newPath].map((path) => (path ? text(path) : ''));
  return change === 'rename' ? `${before} => ${after}` : after || before || '';
}

function diffFiles(terminal: Terminal, before: string, after: string, options: TextDiffOptions, statOnly: boolean) {
  const path = nameFor(terminal.cwd, before);
  const [old, current] = [readFile(terminal.cwd, before), readFile(terminal.cwd, after)];
  const trees = [old, current].map((file) => [{ ...file, path }]);
  const diff = terminal.core.diffTrees(trees[0] ?? [], trees[1] ?? [], { ...options, renames: false });
  // There are no words in what is no text.
  if (!options.words || statOnly || diff.files.some(({ binary }) => binary)) return print(terminal, diff, statOnly);
  const [found] = terminal.core.diffTexts([{ before: old.contents, after: current.contents }], options);
  if (!found || found.changes.length === 0) return 0;
  terminal.write(wordDiff(found, old.contents, current.contents));
  return 1;
}

/** The name that a patch has for a file on both sides, so that git finds it from here: of what lies elsewhere, only the last part. */
function nameFor(cwd: string, file: string): string {
  const path = relative(cwd, resolve(cwd, file));
  return isAbsolute(path) || path.split(sep)[0] === '..' ? basename(path) : path.split(sep).join('/');
}

function readFile(cwd: string, name: string): { mode: number; contents: Buffer } {
  const file = resolve(cwd, name);
  return { mode: statSync(file).mode & 0o100 ? 0o100755 : 0o100644, contents: readFileSync(file) };
}

/** The changed lines, with marks around the words that differ. */
function wordDiff({ changes }: TextDiff, before: Buffer, after: Buffer): string {
  const [oldLines, newLines] = [lineStarts(before), lineStarts(after)];
  return changes
    .map(({ before: old, after: current, words }) => {
      const sides = [
        { sign: '-', bytes: before, starts: oldLines, lines: old, ranges: words?.before ?? [], marks: ['[-', '-]'] },
        { sign: '+', bytes: after, starts: newLines, lines: current, ranges: words?.after ?? [], marks: ['{+', '+}'] },
      ];
      const shown = sides.map(({ sign, bytes, starts, lines, ranges, marks: [open = '', close = ''] }) => {
        const [from = 0, to = 0] = [starts[lines.start], starts[lines.end]];
        let [out, at] = ['', from];
        for (const { start, end } of ranges) {
          out += `${text(bytes.subarray(at, start))}${open}${text(bytes.subarray(start, end))}${close}`;
          at = end;
        }
        out += text(bytes.subarray(at, to));
        return out
          .split('\n')
          .slice(0, lines.end - lines.start)
          .map((line) => `${sign}${line}\n`)
          .join('');
      });
      return `@@ -${old.start + 1} +${current.start + 1} @@\n${shown.join('')}`;
    })
    .join('');
}

/** Where each line begins, and the end of the last. */
function lineStarts(bytes: Buffer): number[] {
  const starts = [0];
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) starts.push(at + 1);
  if (starts.at(-1) !== bytes.length) starts.push(bytes.length);
  return starts;
}
