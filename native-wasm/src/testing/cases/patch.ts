import { type Case, lines, text, thrown } from './case.ts';

export const patchCases: readonly Case[] = [
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
    name: 'patch: hunks, and files that are no text',
    run: (core) =>
      core
        .readPatch(
          lines(
            'diff --git a/x b/x',
            '--- a/x',
            '+++ b/x',
            '@@ -3,2 +3 @@ function f() {',
            ' one',
            '-two',
            'diff --git a/logo b/logo',
            'Binary files a/logo and b/logo differ',
          ),
        )
        .map(({ binary, hunks }) => ({
          binary,
          hunks: hunks.map((hunk) => ({ ...hunk, section: text(hunk.section) })),
        })),
    expected: [
      {
        binary: false,
        hunks: [
          {
            offset: 35,
            oldStart: 3,
            oldLines: 2,
            newStart: 3,
            newLines: 1,
            placed: true,
            section: 'function f() {',
          },
        ],
      },
      { binary: true, hunks: [] },
    ],
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
];
