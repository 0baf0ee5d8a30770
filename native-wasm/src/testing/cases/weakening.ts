import { type Case, lines } from './case.ts';

export const weakeningCases: readonly Case[] = [
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
    name: 'tests: a patch alone is checked by its hunks',
    run: (core) => {
      const patch = lines(
        '--- a/b.test.ts',
        '+++ b/b.test.ts',
        '@@ -20,3 +20,2 @@',
        " it('b', () => {",
        '-  expect(g()).toBe(2);',
        '   expect(g()).toBeDefined();',
      );
      return core
        .checkPatchWeakening(patch)
        .map(({ offset, message, ...rest }) => ({ ...rest, line: rest.line, says: patch.slice(offset, offset + 9) }));
    },
    expected: [
      { file: 0, hunk: 0, side: 'before', line: 21, kind: 'assertionRemoved', confidence: 'medium', says: '-  expect' },
    ],
  },
];
