import type { OutlineEntry } from '../../outline.ts';
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
        regex: index.count({ pattern: 'fn \\w+', regex: true, only: ['**/*.rs'], not: ['test/**'] }),
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
  {
    name: 'search: a glob that is wrong says which and where',
    run: (core) => {
      using index = core.createIndex();
      return [
        thrown(() => index.search({ pattern: 'a', only: ['src/**', 'src/{a'] })),
        thrown(() => index.definitions({ name: 'a', not: ['/a'] })),
      ];
    },
    expected: [
      {
        code: 'Glob',
        message: 'only, glob 1, byte 4: this `{` is never closed: add `}`, or write `\\{` for the character',
      },
      {
        code: 'Glob',
        message:
          'not, glob 0, byte 0: paths have no `/` at their start: take it out, patterns begin at the root anyway',
      },
    ],
  },
  {
    name: 'search: definitions by name, before other hits',
    run: (core) => {
      using index = core.createIndex();
      index.put([
        { path: 'main.go', contents: lines('func main() {', '\tgreet()', '}') },
        { path: 'vendor/a/greet.go', contents: lines('type greeter struct {', '}', '', 'func greet() {', '}') },
      ]);
      const { definitions, more } = index.definitions({ name: 'greet', prefix: true });
      return {
        definitions: definitions.map(({ path, name, kind, line, lastLine, start, end }) => {
          return [text(path), text(name), kind, line, lastLine, start, end];
        }),
        more,
        kinds: index.definitions({ name: 'gree', prefix: true, kinds: ['class'] }).definitions.length,
        filtered: index.definitions({ name: 'greet', not: ['vendor/**'] }).definitions.length,
        limited: index.definitions({ name: 'greet', prefix: true, limit: 1 }).more,
        hits: index.search({ pattern: 'greet', word: true }).hits.map(({ path, line }) => [text(path), line]),
      };
    },
    expected: {
      definitions: [
        ['vendor/a/greet.go', 'greet', 'function', 4, 5, 30, 35],
        ['vendor/a/greet.go', 'greeter', 'class', 1, 2, 5, 12],
      ],
      more: false,
      kinds: 1,
      filtered: 0,
      limited: true,
      hits: [
        ['vendor/a/greet.go', 4],
        ['main.go', 2],
      ],
    },
  },
  {
    name: 'search: the outline of a file and of texts',
    run: (core) => {
      const contents = lines('class A:', '    def b(self):', '        pass');
      using index = core.createIndex();
      index.put([{ path: 'a.py', contents }]);
      const shown = (outline: OutlineEntry[] | undefined) =>
        outline?.map(({ name, ...rest }) => ({ name: text(name), ...rest })) ?? 'none';
      return {
        ofFile: shown(index.outline('a.py')),
        ofNoFile: shown(index.outline('b.py')),
        ofTexts: core
          .outlineTexts([
            { path: 'a.rs', contents: 'fn a() {}' },
            { path: 'a.txt', contents },
          ])
          .map(shown),
      };
    },
    expected: {
      ofFile: [
        {
          name: 'A',
          kind: 'class',
          line: 1,
          lastLine: 3,
          nameAt: { start: 6, end: 7 },
          wholeAt: { start: 0, end: 38 },
        },
        {
          name: 'b',
          kind: 'method',
          line: 2,
          lastLine: 3,
          nameAt: { start: 17, end: 18 },
          wholeAt: { start: 13, end: 38 },
          parent: 0,
        },
      ],
      ofNoFile: 'none',
      ofTexts: [
        [
          {
            name: 'a',
            kind: 'function',
            line: 1,
            lastLine: 1,
            nameAt: { start: 3, end: 4 },
            wholeAt: { start: 0, end: 9 },
          },
        ],
        'none',
      ],
    },
  },
];
