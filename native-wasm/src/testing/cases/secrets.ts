import { type Case, lines, text, thrown } from './case.ts';

export const secretsCases: readonly Case[] = [
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
    name: 'redactor: strings may be cut within a character',
    run: (core) => {
      using redactor = core.createRedactor(['secret-\u{1f600}-of-this-run']);
      const streams = [
        ['a secret-\ud83d', '\ude00-of-this-run b'],
        ['a\ud83d', '', '\ude00b'],
        ['a\ud83d', new Uint8Array([0x62])],
        ['a\ud83d'],
        ['\ude00'],
      ];
      return streams.map((chunks) =>
        [...chunks.map((chunk) => redactor.push(chunk)), redactor.end()].map(text).join(''),
      );
    },
    expected: ['a *** b', 'a\u{1f600}b', 'a\ufffdb', 'a\ufffd', '\ufffd'],
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
];
