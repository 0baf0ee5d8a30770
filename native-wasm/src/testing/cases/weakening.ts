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
];
