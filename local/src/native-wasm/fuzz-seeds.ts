import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Beyond that an input costs more time than it is worth. */
const MAX_BYTES = 4096;

/** Between the pieces of an input; the first holds knobs. See native-wasm/laws/src/input.rs. */
const SEPARATOR = Buffer.of(0x1e);

const input = (knobs: readonly number[], ...texts: readonly (Buffer | string)[]): Buffer =>
  Buffer.concat([Buffer.from(knobs), ...texts.flatMap((text) => [SEPARATOR, Buffer.from(text)])]);

/** A file before and after a commit. */
interface Change {
  readonly path: string;
  readonly old: Buffer;
  readonly new: Buffer;
}

/**
 * Inputs to begin with, for each target of native-wasm/fuzz, made of this repository's own files and history.
 *
 * @param repository its folder
 */
export function seeds(repository: string): Readonly<Record<string, readonly Buffer[]>> {
  const git = (args: readonly string[], stdin?: string) =>
    execFileSync('git', args, { cwd: repository, input: stdin, maxBuffer: 2 ** 28 });
  const commits = git(['log', '--no-merges', '--format=%H', '-n', '250']).toString().trim().split('\n');
  const changes = changesOf(git, commits).slice(0, 150);
  const patches = commits
    .slice(0, 60)
    .map((commit) => git(['format-patch', '--stdout', '-1', '-M', '--binary', commit]))
    .filter((patch) => patch.length <= MAX_BYTES);
  const listing = git(['ls-tree', '-r', '-z', 'HEAD']).toString().split('\0').slice(0, -1);
  const native = join(repository, 'native-wasm/core');
  return {
    diff: changes.map((each) => input([], each.old, each.new)),
    diff_trees: changes.map((each) =>
      input([1, 0, 0, 0, 1, 0, 0, 1, 255, 2, 1, 0, 0, 2, 0, 1], each.path, each.old, each.new),
    ),
    edits: changes.flatMap((each) => [
      input([], each.new, middle(each.new), 'another\n'),
      input([], each.new, middle(each.old), each.old.subarray(0, 80)),
    ]),
    patch_apply: changes.flatMap((each) => [
      input([], each.old, '', each.new),
      input([0, 1, 0, 0, 1, 2, 255, 2, 1, 2, 40, 0, 3], each.old, '', each.new),
    ]),
    patch_parse: patches.flatMap((patch) => [input([], patch), input([1], patch)]),
    paths: pathSeeds(listing, readFileSync(join(repository, '.gitignore'))),
    search: changes.map((each) =>
      input([0, 0, 0, 3, 255, 2, 1, 1, 2, 1, 1, 1], wordOf(each.new), '**/*_test.rs', each.old, each.new, each.new),
    ),
    secrets: secretSeeds(readFileSync(join(native, 'rules/secrets.tsv'), 'utf8')),
    weakening: weakeningSeeds(join(native, 'labelled/weakening')),
  };
}

function changesOf(git: (args: readonly string[], stdin?: string) => Buffer, commits: readonly string[]): Change[] {
  const args = ['diff-tree', '-r', '--stdin', '--no-commit-id', '--diff-filter=M', '--abbrev=40'];
  const files = git(args, `${commits.join('\n')}\n`)
    .toString()
    .split('\n')
    .filter(Boolean);
  const ids = files
    .map((line) => line.split(/[ \t]/))
    .map(([, , old = '', next = '', , path = '']) => ({ old, next, path }));
  const blobs = git(['cat-file', '--batch'], ids.map(({ old, next }) => `${old}\n${next}\n`).join(''));
  let at = 0;
  const blob = () => {
    const head = blobs.indexOf('\n', at);
    const size = Number(blobs.subarray(at, head).toString().split(' ')[2]);
    at = head + size + 2;
    return blobs.subarray(head + 1, head + 1 + size);
  };
  return ids
    .map(({ path }) => ({ path, old: blob(), new: blob() }))
    .filter((each) => each.old.length + each.new.length <= MAX_BYTES && !each.old.includes(0));
}

/** Some lines in the middle of a text. */
function middle(text: Buffer): Buffer {
  const lines = text.toString('latin1').split(/(?<=\n)/);
  const from = Math.floor(lines.length / 3);
  return Buffer.from(lines.slice(from, from + 3).join(''), 'latin1');
}

const wordOf = (text: Buffer): string => /[a-z]{5,}/.exec(text.toString('latin1'))?.[0] ?? 'the';

function pathSeeds(listing: readonly string[], rules: Buffer): Buffer[] {
  const records = (paths: readonly string[]) => paths.map((path) => `${path}\0`).join('');
  const file = (path: string, mode = '100644') => `${mode} blob 1234\t${path}`;
  const hostile = [
    '.git/config',
    'a/../b',
    '/a',
    'C:/a',
    'a/.GIT~1/b',
    'CON.txt',
    'a\\b',
    '.g\u200cit/hooks',
    'a.',
    'A',
    'a/b',
    'a\u202e',
  ];
  const links = [file('link', '120000'), file('link/x'), '160000 commit 1234\tmodule', file('run', '100755')];
  const groups = Array.from({ length: 20 }, (_, nth) => listing.slice(nth * 17, nth * 17 + 12));
  return [
    ...groups.map((group) =>
      input([], records(group.slice(2)), records(group.slice(0, 10)), 'src/**', '**/*.{ts,rs}', rules, 'src'),
    ),
    ...hostile.map((path) => input([], '', records([file(path)]), '**/[a-z]*', '!x/?*', '*.log\n!a/\n/b/**\n', 'a')),
    input([], records([file('x')]), records(links), '', '', '', '', '../..', 'link', 'run', '/'),
  ];
}

/** Examples of the rules, with letters and digits where they say how many. */
function secretSeeds(rules: string): Buffer[] {
  const characters = 'q7Gx2kP9vLm4Zt8Rb3Jd6HnW5cTf1YsA';
  const filled = (template: string) =>
    template
      .replace(/\{[a-z0-9]+:(\d+)\}/g, (_, count: string) =>
        characters.repeat(1 + Number(count) / 32).slice(0, Number(count)),
      )
      .replace(/[‹›]|\{(start|crc62|[a-z0-9]+)\}/g, '');
  const rows = rules.split('\n').filter((line) => line && !line.startsWith('#'));
  return rows.flatMap((row) => {
    const columns = row.split('\t');
    const examples = columns.slice(-2).map(filled);
    return [
      ...examples.map((example) => input([0, 0, 255, 2, 2, 6, 2, 30], `x = 1\n${example}\nend`, 'a-known-secret')),
      input([], examples.join(' '), 'q7Gx2kP9', row),
    ];
  });
}

/** As `PATHS` in native-wasm/laws/src/weakening.rs. */
const testPaths = [
  /\.test\.ts$/,
  /\.spec\.js$/,
  /\.tsx$/,
  /test_.*\.py$/,
  /\.py$/,
  /\.go$/,
  /lib\.rs$/,
  /\.rs$/,
  /\.java$/,
  /\.snap$/,
  /package\.json$/,
  /\.js$/,
  /\.toml$/,
  /\.ya?ml$/,
  /Cargo\.toml$/,
  /Makefile$/,
  /\.(ini|cfg)$/,
  /\.xml$/,
];

/** The labelled cases. */
function weakeningSeeds(folder: string): Buffer[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  const cases = files.flatMap((name) => readFileSync(join(folder, name), 'utf8').split(/^# /m).slice(1));
  return cases.map((labelled) => {
    const changed = labelled.split(/^@[-+~]? /m).slice(1);
    const knobs = changed.flatMap((file) => [testPath(file.slice(0, file.indexOf('\n'))), 0, 0]);
    return input([255, 2, 0, ...knobs], ...changed.flatMap((file) => [side(file, '-'), side(file, '+')]));
  });
}

const testPath = (path: string): number =>
  Math.max(
    0,
    testPaths.findIndex((pattern) => pattern.test(path)),
  );

/** The lines of a labelled file that it has before (`-`) or after (`+`). */
function side(file: string, sign: '-' | '+'): string {
  const lines = file.split('\n').slice(1);
  return lines
    .filter((line) => line.startsWith(' ') || line.startsWith(sign))
    .map((line) => `${line.slice(1)}\n`)
    .join('');
}
