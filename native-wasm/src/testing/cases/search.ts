import { type Case, lines, text, thrown } from './case.ts';

export const searchCases: readonly Case[] = [
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
