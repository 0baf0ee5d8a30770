import type { Case } from './case.ts';

export const ignoreCases: readonly Case[] = [
  {
    name: 'ignore: the rule that decides on each path',
    run: (core) =>
      core
        .checkIgnored(
          [
            { folder: '', contents: '*.tmp\n' },
            { folder: '', contents: '*.log\nbuild/\n' },
            { folder: 'docs', contents: '!keep.log\n' },
          ],
          [
            { path: 'a.log' },
            { path: 'a.tmp' },
            { path: 'build' },
            { path: 'build', folder: true },
            { path: 'build/a' },
            { path: 'docs/keep.log' },
          ],
        )
        .map((match) => match ?? 'none'),
    expected: [
      { ignored: true, file: 1, line: 1 },
      { ignored: true, file: 0, line: 1 },
      'none',
      { ignored: true, file: 1, line: 2 },
      { ignored: true, file: 1, line: 2 },
      { ignored: false, file: 2, line: 1 },
    ],
  },
];
