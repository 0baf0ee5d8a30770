import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../bin/millwright-core.mjs', import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-core-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function run(args: string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    input,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

function write(files: Record<string, string>): void {
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), contents);
  }
}

const read = (path: string): string => readFileSync(join(folder, path), 'utf8');

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
    cwd: folder,
    encoding: 'utf8',
  });

function commit(files: Record<string, string>): void {
  if (!readdirSync(folder).includes('.git')) git('init', '-q', '-b', 'main');
  write(files);
  git('add', '-A');
  git('commit', '-q', '-m', 'A change');
}

test('help says what there is, and what means nothing is told with the remedy', () => {
  expect(run(['--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('fence') });
  expect(run(['apply', '--help']).stdout).toContain('--lenient');
  write({ a: '-h\n' });
  expect(run(['search', '--', '-h']).stdout).toBe('a:1:-h\n');
  expect(run(['dif'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('there is no command "dif": use one of'),
  });
  expect(run(['constructor']).stderr).toContain('there is no command');
  expect(run(['diff', 'a'])).toMatchObject({ status: 2, stderr: expect.stringContaining('name two files') });
  expect(run(['diff', '--contxt', '3', 'a', 'b']).stderr).toContain("'--contxt'");
  expect(run(['diff', '-U', 'x', 'a', 'b']).stderr).toContain('--context is a whole number from 0 on, not "x"');
  expect(run(['scan', 'nowhere'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('there is no "nowhere"'),
  });
});

test('diff compares files, in lines and in words', () => {
  write({ a: 'let old = 1;\nx\n', b: 'let new = 1;\nx\n' });
  expect(run(['diff', 'a', 'b'])).toMatchObject({
    status: 1,
    stdout: 'diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-let old = 1;\n+let new = 1;\n x\n',
  });
  expect(run(['diff', '--words', 'a', 'b']).stdout).toBe('@@ -1 +1 @@\n-let [-old-] = 1;\n+let {+new+} = 1;\n');
  expect(run(['diff', '--stat', 'a', 'b']).stdout).toBe('1\t1\ta\n');
  expect(run(['diff', 'a', 'a'])).toMatchObject({ status: 0, stdout: '' });
});

test.each(['deep/a b.txt', './é', '../outside'])('git applies the patch of two files to %s', (path) => {
  write({ [`here/${path}`]: 'one\ntwo\n', 'here/after': 'one\n2\n' });
  symlinkSync('after', join(folder, 'here/link'));
  const here = join(folder, 'here');
  const diff = spawnSync(process.execPath, [program, 'diff', path, 'link'], { cwd: here, encoding: 'utf8' });
  expect(diff).toMatchObject({ status: 1, stderr: '' });
  const cwd = path.startsWith('..') ? folder : here;
  execFileSync('git', ['apply'], { cwd, input: diff.stdout });
  expect(read(`here/${path}`)).toBe('one\n2\n');
});

test('diff says of files that are no text only that they differ', () => {
  write({ a: 'one\0\n', b: 'two\0\n' });
  const { stdout } = run(['diff', 'a', 'b']);
  expect(stdout).toBe('diff --git a/a b/a\nBinary files a/a and b/a differ\n');
  expect(run(['diff', '--words', 'a', 'b'])).toMatchObject({ status: 1, stdout });
  expect(run(['diff', '--stat', 'a', 'b']).stdout).toBe('-\t-\ta\n');
});

test('diff compares folders, and apply makes one of the other', () => {
  write({ 'old/a.txt': 'one\ntwo\n', 'old/gone': 'x\n', 'new/a.txt': 'one\n2\n', 'new/deep/er': 'y\n' });
  const { status, stdout } = run(['diff', 'old', 'new']);
  expect(status).toBe(1);
  write({ 'old/the.patch': stdout });
  const apply = (...args: string[]) =>
    spawnSync(process.execPath, [program, 'apply', ...args], { cwd: join(folder, 'old'), encoding: 'utf8' });
  expect(apply('--check', 'the.patch')).toMatchObject({
    status: 0,
    stdout: '2 files would be written, 1 would be deleted\n',
  });
  expect(read('old/a.txt')).toBe('one\ntwo\n');
  expect(apply('the.patch')).toMatchObject({ status: 0, stdout: '2 files are written, 1 are deleted\n' });
  rmSync(join(folder, 'old/the.patch'));
  expect(run(['diff', 'old', 'new'])).toMatchObject({ status: 0, stdout: '' });
  write({ 'new/a.txt': 'one\n2 \n' });
  expect(run(['diff', '--ignore-space-at-eol', 'old', 'new'])).toMatchObject({ status: 0, stdout: '' });
});

test('diff compares revisions as git does', () => {
  commit({ 'a.txt': 'one\ntwo\nthree\nfour\n', run: 'go\n' });
  git('mv', 'a.txt', 'b.txt');
  commit({ 'b.txt': 'one\ntwo\nthree\n4\n', 'new file': 'x\n' });
  expect(run(['diff', 'HEAD~1', 'HEAD']).stdout).toBe(
    git('diff', '--histogram', '-M', '--full-index', 'HEAD~1', 'HEAD'),
  );
  expect(run(['diff', 'HEAD', 'nowhere'])).toMatchObject({ status: 2, stderr: expect.stringContaining('"nowhere"') });
});

test('apply writes nothing when a hunk has no place', () => {
  write({ a: 'one\n', b: 'one\n' });
  const patch = ['a', 'b'].map(
    (name) => `--- a/${name}\n+++ b/${name}\n@@ -1 +1 @@\n-${name === 'a' ? 'one' : 'two'}\n+x\n`,
  );
  const { status, stdout } = run(['apply', '-'], patch.join(''));
  expect(status).toBe(1);
  expect(stdout).toMatch(/^b: /);
  expect(read('a')).toBe('one\n');
});

test.each([
  ['../a', 'out of the folder'],
  ['.git/hooks/post-commit', 'into the repository itself'],
  ['.GIT/config', 'the same where case does not count'],
  ['a/./b', 'no name that git would have'],
  ['/etc/x', 'out of the folder as well'],
])('apply refuses %s: %s', (path) => {
  const { status, stderr } = run(['apply', '-'], `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(path) });
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  ['a/b', 'needs the folder "a", which is a file here'],
  ['folder', 'is a file in the patch and a folder here'],
])('apply writes nothing when something is in the way of %s', (path, problem) => {
  write({ a: 'x\n', 'folder/x': 'x\n' });
  const patch = ['first', path].map((name) => `--- /dev/null\n+++ b/${name}\n@@ -0,0 +1 @@\n+x\n`).join('');
  expect(run(['apply', '-'], patch)).toMatchObject({ status: 2, stderr: expect.stringContaining(problem) });
  expect(readdirSync(folder).sort()).toEqual(['a', 'folder']);
});

test('apply says when its patch is a folder', () => {
  mkdirSync(join(folder, 'sub'));
  expect(run(['apply', 'sub'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('"sub" is a folder: name'),
  });
});

test('apply does not write through a symlink', () => {
  mkdirSync(join(folder, 'elsewhere'));
  mkdirSync(join(folder, 'here'));
  symlinkSync('../elsewhere', join(folder, 'here/link'));
  const { status, stderr } = run(['apply', '-'], '--- /dev/null\n+++ b/here/link/x\n@@ -0,0 +1 @@\n+x\n');
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringContaining('leads through the symlink "here/link"'),
  });
  expect(readdirSync(join(folder, 'elsewhere'))).toEqual([]);
});

describe('apply takes what git takes', () => {
  test.each<[what: string, before: Record<string, string>, after: Record<string, string>]>([
    ['a name of which only the case changes', { 'Readme.md': 'one\n' }, { 'README.md': 'one\n' }],
    ['a file that git reads', { '.gitmodules': 'x\n' }, { '.gitmodules': 'y\n' }],
    ['the name of a device', { 'src/aux.rs': 'x\n' }, { 'src/aux.rs': 'y\n' }],
    ['a colon and a backslash', { 'a:b': 'x\n', 'c\\d': 'x\n' }, { 'a:b': 'y\n', 'c\\d': 'y\n' }],
    ['a file that becomes a folder', { x: 'a\nb\nc\n' }, { 'x/y': 'd\n' }],
    ['a folder that becomes a file', { 'x/y/z': 'a\nb\nc\n', 'x/a': 'x\n' }, { x: 'd\n' }],
    ['the last file of a folder', { 'x/y/z': 'a\n', a: 'x\n' }, { a: 'x\n' }],
  ])('%s', (_, before, after) => {
    commit(before);
    git('rm', '-q', '-r', '.');
    commit(after);
    const patch = git('diff', '-M', '--binary', 'HEAD~1', 'HEAD');
    git('checkout', '-q', 'HEAD~1');
    execFileSync('git', ['apply', '--check'], { cwd: folder, input: patch });
    expect(run(['apply', '-'], patch)).toMatchObject({ status: 0, stderr: '' });
    const left = readdirSync(folder).filter((name) => name !== '.git');
    expect(left.sort()).toEqual([...new Set(Object.keys(after).map((path) => path.split('/')[0]))]);
    git('add', '-A');
    expect(git('diff', '--cached', 'main')).toBe('');
  });
});

const creates = (path: string, mode = '100644') =>
  `diff --git a/${path} b/${path}\nnew file mode ${mode}\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+x\n`;

test.each([
  ['160000', '"sub" is a submodule in the patch: take it out'],
  ['040000', '"sub" has the mode 40000 in the patch: make it 100644'],
])('apply writes nothing of a patch with the mode %s', (mode, problem) => {
  expect(run(['apply', '-'], creates('first') + creates('sub', mode))).toMatchObject({
    status: 2,
    stderr: expect.stringContaining(problem),
  });
  expect(readdirSync(folder)).toEqual([]);
});

test('apply writes nothing when the patch is a file and a folder in one place', () => {
  expect(run(['apply', '-'], creates('a') + creates('a/b'))).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('makes "a" a file, and a folder for "a/b"'),
  });
  expect(readdirSync(folder)).toEqual([]);
});

test('apply keeps what a folder holds in which it would write a file', () => {
  write({ 'x/.git/config': 'x\n' });
  expect(run(['apply', '-'], creates('x'))).toMatchObject({ status: 2 });
  expect(read('x/.git/config')).toBe('x\n');
});

test('apply changes nothing when one of the files cannot be written', () => {
  write({ a: 'one\n' });
  // It leads further than a symlink can.
  const link = creates('link', '120000').replace('+x\n', `+${'x'.repeat(5000)}\n`);
  const { status, stderr } = run(['apply', '-'], `--- a/a\n+++ b/a\n@@ -1 +1 @@\n-one\n+two\n${link}`);
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringContaining('"link" cannot be written or deleted: name too long; nothing is changed'),
  });
  expect(readdirSync(folder)).toEqual(['a']);
  expect(read('a')).toBe('one\n');
});

test('search finds the tracked and the new files, and counts', () => {
  commit({ 'src/a.ts': 'const needle = 1;\n', '.gitignore': 'out\n', 'out/b.ts': 'needle\n' });
  write({ 'new.md': 'a\nneedle here\nb\n' });
  expect(run(['search', 'needle']).stdout.split('\n').sort()).toEqual([
    '',
    'new.md:2:needle here',
    'src/a.ts:1:const needle = 1;',
  ]);
  expect(run(['search', '-C', '1', '-g', '*.md', 'needle']).stdout).toBe(
    'new.md-1:a\nnew.md:2:needle here\nnew.md-3:b\n--\n',
  );
  expect(run(['search', '-c', '-e', 'n[e]+dle'])).toMatchObject({ status: 0, stdout: '2 hits in 2 files\n' });
  expect(run(['search', 'nothing'])).toMatchObject({ status: 1, stdout: '' });
  expect(run(['search', '-e', '('])).toMatchObject({ status: 2 });
  expect(run(['search', '-d', 'need']).stdout).toBe('src/a.ts:1: constant needle\n');
});

test('outside of a repository, what its ignore files name is not read', () => {
  write({
    '.gitignore': 'out/\n',
    'a.ts': 'needle\n',
    'out/b.ts': 'needle\n',
    'deep/.gitignore': '*.log\n',
    'deep/x.log': 'needle\n',
  });
  expect(run(['search', 'needle']).stdout).toBe('a.ts:1:needle\n');
});

test('outline lists what files define', () => {
  write({ 'a.py': 'class A:\n    def b(self):\n        pass\n', 'a.txt': 'x\n' });
  expect(run(['outline', '.']).stdout).toBe('a.py:1-3: class A\na.py:2-3:   method b\n');
  expect(run(['outline', 'a.txt'])).toMatchObject({ status: 2, stderr: expect.stringContaining('language') });
});

test('scan finds secrets', () => {
  const key = ['-----BEGIN', 'RSA', 'PRIVATE', 'KEY-----'].join(' ');
  write({
    'key.pem': `${key}\n${'MIIEpAIBAAKCAQEA0f8y'.repeat(20)}\n${key.replace('BEGIN', 'END')}\n`,
    'a.txt': 'nothing\n',
  });
  const found = run(['scan']);
  expect(found.status).toBe(1);
  expect(found.stdout).toMatch(/^key\.pem:1:1: \w+: /);
  const [line = ''] = run(['scan', '--json']).stdout.split('\n');
  expect(JSON.parse(line)).toMatchObject({ path: 'key.pem', line: 1 });
  expect(run(['scan', 'a.txt'])).toEqual({ status: 0, stdout: '', stderr: '' });
});

describe('what scan is told to read', () => {
  const secret = 'url = postgres://ada:cu7-Vx1q@db.internal/main\n';

  test('is followed when it is a symlink', () => {
    write({ 'deep/a.conf': secret, 'none.txt': 'x\n' });
    symlinkSync('deep/a.conf', join(folder, 'file'));
    symlinkSync('deep', join(folder, 'folder'));
    for (const inRepository of [false, true]) {
      if (inRepository) git('init', '-q');
      expect(run(['scan', 'file'])).toMatchObject({ status: 1, stdout: expect.stringMatching(/^file:1:/) });
      expect(run(['scan', 'folder'])).toMatchObject({
        status: 1,
        stdout: expect.stringMatching(/^folder\/a\.conf:1:/),
      });
      expect(run(['scan', './deep/a.conf', 'deep']).stdout).toMatch(/^deep\/a\.conf:1:\d+: [^\n]*\n$/);
    }
  });

  test('is an error when it is neither a file nor a folder', () => {
    write({ 'none.txt': 'x\n' });
    symlinkSync('nowhere', join(folder, 'dangling'));
    for (const [name, problem] of [
      ['/dev/null', '"/dev/null" is neither a file nor a folder'],
      ['dangling', 'there is no "dangling"'],
    ] as const)
      expect(run(['scan', 'none.txt', name])).toMatchObject({
        status: 2,
        stderr: expect.stringContaining(problem),
      });
  });

  // Elsewhere file systems refuse such names.
  test.runIf(process.platform === 'linux')('has names that are no UTF-8', () => {
    const name = Buffer.from('/deep/\xff.conf', 'latin1');
    mkdirSync(join(folder, 'deep'));
    writeFileSync(Buffer.concat([Buffer.from(folder), name]), secret);
    for (const inRepository of [false, true]) {
      if (inRepository) git('init', '-q');
      expect(run(['scan'])).toMatchObject({ status: 1, stdout: expect.stringMatching(/^deep\/\ufffd\.conf:1:/) });
    }
    mkdirSync(join(folder, 'other'));
    expect(run(['diff', 'deep', 'other']).stdout).toContain('"a/\\377.conf"');
  });

  test('is a folder of another repository, of none, with a name like a pattern, or ignored', () => {
    commit({ 'here/x': 'x\n', '.gitignore': 'out\n' });
    const elsewhere = mkdtempSync(join(tmpdir(), 'millwright-core-'));
    mkdirSync(join(elsewhere, 'other'));
    writeFileSync(join(elsewhere, 'a.conf'), secret);
    execFileSync('git', ['init', '-q'], { cwd: join(elsewhere, 'other') });
    writeFileSync(join(elsewhere, 'other/b.conf'), secret);
    write({ ':(top)/c.conf': secret, 'out/d.conf': secret });
    for (const [path, file] of [
      [elsewhere, 'a.conf'],
      [join(elsewhere, 'other'), 'b.conf'],
      [':(top)', 'c.conf'],
      ['out', 'd.conf'],
    ] as const)
      expect(run(['scan', path])).toMatchObject({
        status: 1,
        stdout: expect.stringMatching(new RegExp(`^\\S+/${file}:1:`)),
      });
    rmSync(elsewhere, { recursive: true });
  });
});

test('the exit code is the same when nobody reads the output', () => {
  write({ 'a.conf': 'url = postgres://ada:cu7-Vx1q@db.internal/main\n', 'a.txt': 'needle\n' });
  const piped = (args: string): string => {
    execFileSync('sh', ['-c', `{ "${process.execPath}" "${program}" ${args}; echo $? > code; } | true`], {
      cwd: folder,
    });
    return read('code');
  };
  expect(piped('scan')).toBe('1\n');
  expect(piped('search needle')).toBe('0\n');
});

test('fence judges a change by its paths', () => {
  commit({ 'a.txt': 'one\n' });
  commit({ 'a.txt': 'two\n', '.github/workflows/ci.yml': 'on: push\n' });
  expect(run(['fence', 'HEAD~1'])).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('.github/workflows/ci.yml'),
  });
  expect(run(['fence', '--class', 'ci=report', 'HEAD~1'])).toMatchObject({
    status: 0,
    stdout: '.github/workflows/ci.yml: added: ci\n',
    stderr: '2 paths changed: 0 violations, 1 to look at\n',
  });
  expect(run(['fence', '--class', 'ci=allow', '--deny', '*.txt', 'HEAD~1'])).toMatchObject({ status: 1 });
  expect(run(['fence', '--class', 'ci', 'HEAD~1'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('--class is NAME=allow'),
  });
});

test('tests finds what weakens them, between revisions and in a patch', () => {
  commit({ 'a.test.ts': "it('a', () => {\n  expect(f()).toBe(1);\n});\n" });
  commit({ 'a.test.ts': "it.skip('a', () => {\n  expect(f()).toBe(1);\n});\n" });
  expect(run(['tests', 'HEAD~1']).stdout).toMatch(/^a\.test\.ts:1: testSkipped \(high\): /);
  expect(run(['tests', '--patch', '-'], git('diff', 'HEAD~1')).stdout).toMatch(
    /^a\.test\.ts:1: testSkipped \(medium\): /,
  );
  expect(run(['tests', 'HEAD'])).toMatchObject({ status: 0, stdout: '' });
});

test('what the base gained since is no part of a change', () => {
  const tested = "it('a', () => {\n  expect(f()).toBe(1);\n});\n";
  commit({ 'a.txt': 'one\n' });
  git('checkout', '-q', '-b', 'change');
  commit({ 'a.txt': 'two\n' });
  git('checkout', '-q', 'main');
  commit({ '.github/workflows/ci.yml': 'on: push\n', 'a.test.ts': tested });
  git('checkout', '-q', 'change');
  expect(run(['fence', 'main'])).toMatchObject({ status: 0, stderr: expect.stringMatching(/^1 paths changed/) });
  expect(run(['tests', 'main'])).toMatchObject({ status: 0, stdout: '' });
  // Trees have no history to part in.
  expect(run(['fence', 'main^{tree}'])).toMatchObject({ status: 1, stdout: expect.stringContaining('ci.yml') });
  git('checkout', '-q', '--orphan', 'alone');
  commit({ 'b.txt': 'x\n' });
  expect(run(['tests', 'main', 'nowhere'])).toMatchObject({ status: 2, stderr: expect.stringContaining('"nowhere"') });
  git('rm', '-q', 'a.txt');
  git('commit', '-q', '-m', 'A change');
  expect(run(['fence', 'main'])).toMatchObject({ status: 1, stdout: expect.stringContaining('ci.yml') });
});
