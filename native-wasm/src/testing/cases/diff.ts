import { type Case, lines, text } from './case.ts';

export const diffCases: readonly Case[] = [
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
    name: 'diff: words, where they help',
    run: (core) =>
      core
        .diffTexts(
          [
            { before: lines('let old = 1;', 'x'), after: lines('let new = 1;', 'x') },
            { before: lines('abc'), after: lines('something else') },
          ],
          { words: true },
        )
        .map(({ changes }) => changes.map(({ words }) => words ?? 'none')),
    expected: [[{ before: [{ start: 4, end: 7 }], after: [{ start: 4, end: 7 }] }], ['none']],
  },
  {
    name: 'bytes that are no UTF-8 stay as they are',
    run: (core) => [...(core.diffTexts([{ before: '', after: Uint8Array.of(0xff, 0xfe, 0x0a) }])[0]?.hunks ?? [])],
    expected: [...new TextEncoder().encode('@@ -0,0 +1 @@\n+'), 0xff, 0xfe, 0x0a],
  },
];
