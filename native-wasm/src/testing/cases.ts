import type { Core } from '../core.ts';
import { CoreError } from '../errors.ts';

/** What an operation answers, the same wherever the core runs. */
export interface Case {
  readonly name: string;
  /** What can be written as JSON. */
  run(core: Core): unknown;
  readonly expected: unknown;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What an operation throws. */
function thrown(operation: () => unknown): unknown {
  try {
    operation();
    return 'nothing was thrown';
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    const { code, offset, item, message } = error;
    return { code, message, ...(offset === undefined ? {} : { offset }), ...(item === undefined ? {} : { item }) };
  }
}

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');

export const cases: readonly Case[] = [
  {
    name: 'diff: hunks, numbers and changes of several pairs in one call',
    run: (core) =>
      core
        .diffTexts([
          { before: lines('a', 'b', 'c'), after: lines('a', 'B', 'c', 'd') },
          { before: 'same', after: 'same' },
          { before: '', after: 'no line end' },
        ])
        .map(({ hunks, ...rest }) => ({ ...rest, hunks: text(hunks) })),
    expected: [
      {
        added: 2,
        removed: 1,
        degraded: false,
        hunks: lines('@@ -1,3 +1,4 @@', ' a', '-b', '+B', ' c', '+d'),
        changes: [
          { before: { start: 1, end: 2 }, after: { start: 1, end: 2 } },
          { before: { start: 3, end: 3 }, after: { start: 3, end: 4 } },
        ],
      },
      { added: 0, removed: 0, degraded: false, hunks: '', changes: [] },
      {
        added: 1,
        removed: 0,
        degraded: false,
        hunks: lines('@@ -0,0 +1 @@', '+no line end', '\\ No newline at end of file'),
        changes: [{ before: { start: 0, end: 0 }, after: { start: 0, end: 1 } }],
      },
    ],
  },
  {
    name: 'diff: context and white space',
    run: (core) => {
      const pair = { before: lines('a', 'b', 'c'), after: lines('a ', 'B', 'c') };
      return core.diffTexts([pair], { context: 0, ignoreWhitespace: 'atLineEnd' }).map(({ hunks }) => text(hunks));
    },
    expected: [lines('@@ -2 +2 @@ a', '-b', '+B')],
  },
  {
    name: 'diff: a spent budget makes it coarser, not wrong',
    run: (core) => {
      const [before, after] = [0, 1].map((n) => lines(...Array.from({ length: 100 }, (_, i) => `${i % (7 + n)}`)));
      const [diff] = core.diffTexts([{ before: before ?? '', after: after ?? '' }], { budget: 10 });
      return { degraded: diff?.degraded, removed: diff?.removed, added: diff?.added };
    },
    expected: { degraded: true, removed: 93, added: 93 },
  },
  {
    name: 'bytes that are no UTF-8 stay as they are',
    run: (core) => [...(core.diffTexts([{ before: '', after: Uint8Array.of(0xff, 0xfe, 0x0a) }])[0]?.hunks ?? [])],
    expected: [...new TextEncoder().encode('@@ -0,0 +1 @@\n+'), 0xff, 0xfe, 0x0a],
  },
  {
    name: 'edits: made all together, on the contents as they were',
    run: (core) => {
      const edited = core.applyEdits('one two three', [
        { search: 'three', replace: '3' },
        { search: 'one', replace: 'ONE' },
      ]);
      return edited.ok && { contents: text(edited.contents), replaced: edited.replaced };
    },
    expected: {
      contents: 'ONE two 3',
      replaced: [
        { edit: 1, before: { start: 0, end: 3 }, after: { start: 0, end: 3 } },
        { edit: 0, before: { start: 8, end: 13 }, after: { start: 8, end: 9 } },
      ],
    },
  },
  {
    name: 'edits: what cannot be made is told for each',
    run: (core) => {
      const edited = core.applyEdits(lines('a', 'a', '  b'), [
        { search: 'a', replace: 'c' },
        { search: lines('\tb'), replace: 'c' },
        { search: '', replace: 'c' },
      ]);
      return !edited.ok && edited.problems.map(({ edit, code, lines }) => ({ edit, code, lines }));
    },
    expected: [
      { edit: 0, code: 'NotUnique', lines: [1, 2] },
      { edit: 1, code: 'NotFound', lines: [3] },
      { edit: 2, code: 'Exists', lines: [] },
    ],
  },
  {
    name: 'edits: a new file, and one that is missing',
    run: (core) => {
      const made = core.applyEdits(undefined, [{ search: '', replace: 'new' }]);
      const missing = core.applyEdits(undefined, [{ search: 'x', replace: 'y' }]);
      return [made.ok && text(made.contents), !missing.ok && missing.problems.map(({ code }) => code)];
    },
    expected: ['new', ['Missing']],
  },
  {
    name: 'patch: a mail of git is read and applied to a set of files',
    run: (core) => {
      const patch = lines(
        'From 0123 Mon Sep 17 00:00:00 2001',
        'Subject: [PATCH] Rename',
        '',
        'diff --git a/old.txt b/new.txt',
        'similarity index 80%',
        'rename from old.txt',
        'rename to new.txt',
        '--- a/old.txt',
        '+++ b/new.txt',
        '@@ -1,2 +1,2 @@',
        ' one',
        '-two',
        '+2',
        'diff --git a/run b/run',
        'new file mode 100755',
        '--- /dev/null',
        '+++ b/run',
        '@@ -0,0 +1 @@',
        '+go',
      );
      const { written, deleted, problems } = core.applyPatch(patch, [
        { path: 'old.txt', mode: 0o100644, contents: lines('one', 'two') },
      ]);
      return {
        files: core.readPatch(patch).map(({ change, newPath }) => [change, text(newPath ?? Uint8Array.of())]),
        written: written.map(({ path, mode, contents }) => [text(path), mode, text(contents)]),
        deleted: deleted.map(text),
        problems,
      };
    },
    expected: {
      files: [
        ['rename', 'new.txt'],
        ['create', 'run'],
      ],
      written: [
        ['new.txt', 0o100644, lines('one', '2')],
        ['run', 0o100755, lines('go')],
      ],
      deleted: ['old.txt'],
      problems: [],
    },
  },
  {
    name: 'patch: what does not apply is told for each hunk, and what is no patch with its place',
    run: (core) => {
      const patch = lines(
        '--- a/x',
        '+++ b/x',
        '@@ -1,2 +1,2 @@',
        ' one',
        '-two',
        '+2',
        '--- a/y',
        '+++ b/y',
        '@@ -1 +1 @@',
        '-a',
        '+b',
      );
      const { problems } = core.applyPatch(patch, [{ path: 'x', mode: 0o100644, contents: lines('one', 'drei') }]);
      return {
        problems: problems.map(({ file, code, hunks }) => [
          file,
          code,
          hunks.map((each) => [each.hunk, each.offset, each.code]),
        ]),
        wrong: thrown(() => core.readPatch(lines('--- a/x', '+++ b/x', '@@ -1,9 +1,9 @@', ' one'))),
      };
    },
    expected: {
      problems: [
        [0, 'Rejected', [[0, 16, 'ContextDiffers']]],
        [1, 'Missing', []],
      ],
      wrong: {
        code: 'Patch',
        offset: 37,
        message:
          'line 5 of the patch (byte 37): the hunk ends too early, 8 old and 8 new lines are missing: add them or correct the counts in its header',
      },
    },
  },
  {
    name: 'tests: what weakens them is told with its line',
    run: (core) =>
      core
        .checkWeakening([
          {
            path: 'src/a.test.ts',
            before: lines("it('adds', () => {", '  expect(add(1, 2)).toBe(3);', '});'),
            after: lines("it.skip('adds', () => {", '  expect(add(1, 2)).toBe(3);', '});'),
          },
          { path: 'src/a.ts', before: 'a', after: 'b' },
        ])
        .map(({ file, side, line, kind, confidence }) => ({ file, side, line, kind, confidence })),
    expected: [{ file: 0, side: 'after', line: 1, kind: 'testSkipped', confidence: 'high' }],
  },
  {
    name: 'paths: a change of a tree is judged with reasons',
    run: (core) => {
      const entry = (mode: string, path: string) => `${mode} ${mode === '160000' ? 'commit' : 'blob'} 01\t${path}\0`;
      const before = { entries: entry('100644', 'src/main.rs') };
      const after = {
        entries: [
          entry('100644', 'src/main.rs'),
          entry('100644', '.GIT/config'),
          entry('100644', '.github/workflows/x.yml'),
          entry('100644', 'package-lock.json'),
          entry('120000', 'keys'),
        ].join(''),
        targets: [{ path: 'keys', target: '../../.ssh' }],
      };
      const { paths, findings } = core.judgePaths(before, after, { classes: { lockfile: 'allow' } });
      return {
        paths: paths.map(({ path, canonical, ...rest }) => ({ ...rest, path: text(path), canonical: text(canonical) })),
        findings: findings.map(({ path, message }) => ({ path, message })),
      };
    },
    expected: {
      paths: [
        { path: '.GIT/config', canonical: '.git/config', change: 'added', classes: [] },
        { path: '.github/workflows/x.yml', canonical: '.github/workflows/x.yml', change: 'added', classes: ['ci'] },
        { path: 'keys', canonical: 'keys', change: 'added', classes: ['link'] },
        { path: 'package-lock.json', canonical: 'package-lock.json', change: 'added', classes: [] },
      ],
      findings: [
        {
          path: 0,
          message: '".GIT/config" has a component that is, or can be read as, `.git`, at byte 0: ".GIT"; rename it',
        },
        {
          path: 1,
          message:
            '".github/workflows/x.yml" is of a kind that the policy denies: ci; leave it as it was, or have the policy allow the kind',
        },
        {
          path: 2,
          message: '"keys" is a symlink that leads out of the repository; make its target a path in the repository',
        },
      ],
    },
  },
  {
    name: 'paths: a policy that is wrong, and a listing that is none',
    run: (core) => [
      thrown(() => core.judgePaths({ entries: '' }, { entries: '' }, { deny: ['src/{a'] })),
      thrown(() => core.judgePaths({ entries: '' }, { entries: 'no listing' })),
      thrown(() => core.judgePaths({ entries: '' }, { entries: '' }, { tolerated: ['nothing'] })),
    ],
    expected: [
      {
        code: 'Glob',
        message: 'deny, glob 0, byte 4: this `{` is never closed: add `}`, or write `\\{` for the character',
      },
      {
        code: 'Listing',
        item: 0,
        offset: 0,
        message:
          'listing, record 0 at byte 0: it does not end with a zero byte: give the whole output of `git ls-tree -r -z`',
      },
      {
        code: 'Policy',
        message:
          'there is no violation "nothing": use one of bidirectional, invalid-utf8, device, stream, long-component, duplicate',
      },
    ],
  },
  {
    name: 'secrets: findings name the rule and the place, and do not show the secret',
    run: (core) =>
      core.scanSecrets([
        { path: 'app.conf', contents: lines('[db]', 'url = postgres://ada:cu7-Vx1q@db.internal/main') },
        { path: 'clean.ts', contents: 'export const greeting = "hello";' },
      ]),
    expected: [
      [{ rule: 'url-password', preview: '://…***', severity: 'high', start: 26, end: 34, line: 2, column: 22 }],
      [],
    ],
  },
  {
    name: 'redactor: a secret is masked however the stream is cut',
    run: (core) => {
      using redactor = core.createRedactor(['abcabcabd-secret']);
      const shown = [redactor.push('hello abcab'), redactor.push('cabd-secret, bye'), redactor.end()];
      return shown.map(text);
    },
    // A word at the end may become the beginning of something.
    expected: ['hello ', '***, ', 'bye'],
  },
  {
    name: 'redactor: one that was disposed of says so',
    run: (core) => {
      const redactor = core.createRedactor([]);
      redactor[Symbol.dispose]();
      redactor[Symbol.dispose]();
      return thrown(() => redactor.push('x'));
    },
    expected: { code: 'Disposed', message: 'it was disposed of already: make another' },
  },
  {
    name: 'search: hits with the lines around them, the best first',
    run: (core) => {
      using index = core.createIndex();
      const skipped = index.put([
        { path: 'src/greet.rs', contents: lines('/// Greets.', 'pub fn greet() {}') },
        { path: 'src/main.rs', contents: lines('fn main() {', '    greet();', '}') },
        { path: 'logo.png', contents: Uint8Array.of(0x89, 0, 1) },
      ]);
      const { hits, more } = index.search({ pattern: 'greet', word: true }, { limit: 2, before: 1 });
      index.put([{ path: 'src/greet.rs', contents: undefined }]);
      return {
        skipped: skipped.map((reason) => reason ?? 'searched'),
        hits: hits.map(({ path, line, shown }) => [text(path), line, shown.line, text(shown.text)]),
        more,
        left: index.count({ pattern: 'greet' }),
        regex: index.count({ pattern: 'fn \\w+', regex: true, only: ['*.rs'], not: ['test/'] }),
      };
    },
    expected: {
      skipped: ['searched', 'searched', 'binary'],
      hits: [
        // Its path has the word as well.
        ['src/greet.rs', 2, 1, lines('/// Greets.', 'pub fn greet() {}')],
        ['src/main.rs', 2, 1, lines('fn main() {', '    greet();')],
      ],
      more: false,
      left: { hits: 1, files: 1 },
      regex: { hits: 1, files: 1 },
    },
  },
  {
    name: 'search: a regex that is wrong or explodes is a typed error',
    run: (core) => {
      using index = core.createIndex();
      return [
        thrown(() => index.search({ pattern: 'a(', regex: true })),
        thrown(() => index.search({ pattern: '((a{1,100}){1,100}){1,100}', regex: true })),
        thrown(() => index.search({ pattern: '' })),
      ].map((error) => (error as { code: string }).code);
    },
    expected: ['Syntax', 'TooComplex', 'EmptyPattern'],
  },
];
