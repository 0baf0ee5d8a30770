import { type Case, lines, text, thrown } from './case.ts';

const file = (path: string, contents: string, mode = 0o100644) => ({ path, mode, contents });

export const treesCases: readonly Case[] = [
  {
    name: 'trees: a patch with renames and modes, and numbers of each file',
    run: (core) => {
      const before = [
        file('gone', lines('x')),
        file('old.txt', lines('a', 'b', 'c', 'd')),
        file('run.sh', lines('go')),
      ];
      const after = [
        file('new.txt', lines('a', 'b', 'c', 'D')),
        file('run.sh', lines('go'), 0o100755),
        { path: 'logo', mode: 0o100644, contents: Uint8Array.of(0, 1) },
      ];
      const { files, degraded } = core.diffTrees(before, after);
      const patch = files.map((each) => text(each.patch)).join('');
      const applied = core.applyPatch(
        files
          .filter((each) => !each.binary)
          .map((each) => text(each.patch))
          .join(''),
        before,
      );
      return {
        degraded,
        files: files.map(({ change, added, removed, binary, similarity }) => [
          change,
          added,
          removed,
          binary,
          similarity ?? 0,
        ]),
        patch,
        problems: applied.problems,
        written: applied.written.map(({ path }) => text(path)),
      };
    },
    expected: {
      degraded: false,
      files: [
        ['delete', 0, 1, false, 0],
        ['create', 0, 0, true, 0],
        ['rename', 1, 1, false, 75],
        ['modify', 0, 0, false, 0],
      ],
      patch: lines(
        'diff --git a/gone b/gone',
        'deleted file mode 100644',
        '--- a/gone',
        '+++ /dev/null',
        '@@ -1 +0,0 @@',
        '-x',
        'diff --git a/logo b/logo',
        'new file mode 100644',
        'Binary files /dev/null and b/logo differ',
        'diff --git a/old.txt b/new.txt',
        'similarity index 75%',
        'rename from old.txt',
        'rename to new.txt',
        '--- a/old.txt',
        '+++ b/new.txt',
        '@@ -1,4 +1,4 @@',
        ' a',
        ' b',
        ' c',
        '-d',
        '+D',
        'diff --git a/run.sh b/run.sh',
        'old mode 100644',
        'new mode 100755',
      ),
      problems: [],
      written: ['new.txt', 'run.sh'],
    },
  },
  {
    name: 'trees: ids spare the comparison, and are shown',
    run: (core) => {
      const one = { ...file('a', lines('1')), id: 'd00491fd7e5bb6fa28c517a0bb32b8b506539d4d' };
      const two = { ...file('a', lines('2')), id: '0cfbf08886fca9a91cb753ec8734c84fcbe52c9f' };
      const same = core.diffTrees([one], [{ ...two, id: one.id }]).files.length;
      return [same, core.diffTrees([one], [two], { context: 0 }).files.map(({ patch }) => text(patch))];
    },
    expected: [
      0,
      [
        lines(
          'diff --git a/a b/a',
          'index d00491fd7e5bb6fa28c517a0bb32b8b506539d4d..0cfbf08886fca9a91cb753ec8734c84fcbe52c9f 100644',
          '--- a/a',
          '+++ b/a',
          '@@ -1 +1 @@',
          '-1',
          '+2',
        ),
      ],
    ],
  },
  {
    name: 'trees: what no tree can be is told with its entry',
    run: (core) => [
      thrown(() => core.diffTrees([file('a', '', 0o040000)], [])),
      thrown(() => core.diffTrees([], [file('a', ''), file('a', '')])),
      thrown(() => core.diffTrees([{ ...file('a', ''), id: 'xyz' }], [])),
      thrown(() => core.diffTrees([file('sub', '', 0o160000)], [])),
    ],
    expected: [
      {
        code: 'Tree',
        item: 0,
        message: 'entry 0 of the first tree has the mode 40000: use 100644, 100755, 120000 or 160000',
      },
      {
        code: 'Tree',
        item: 1,
        message: 'entry 1 of the second tree has the path of an earlier one: give each path once',
      },
      { code: 'Tree', item: 0, message: 'entry 0 of the first tree has an id that is not hexadecimal' },
      {
        code: 'Tree',
        item: 0,
        message: 'entry 0 of the first tree is a gitlink without object id: give the id of its commit',
      },
    ],
  },
];
