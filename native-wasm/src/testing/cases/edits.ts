import { type Case, lines, text } from './case.ts';

export const editsCases: readonly Case[] = [
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
];
