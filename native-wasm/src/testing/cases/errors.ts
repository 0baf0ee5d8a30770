import type { Core } from '../../core.ts';
import type { CoreError } from '../../errors.ts';
import { type Case, thrown } from './case.ts';

const header = '--- a/x\n+++ b/x\n';

/** What cannot be done, each by its code. */
const hostile: readonly (readonly [code: string, operation: (core: Core) => unknown])[] = [
  ['Patch', (core) => core.readPatch(Uint8Array.of(0xff, 0xfe, 0x80))],
  ['Patch', (core) => core.readPatch(`${header}@@ -1,2147483648 +1 @@\n-a\n+b\n`)],
  ['Patch', (core) => core.readPatch(`${header}@@ -18446744073709551616 +1 @@\n-a\n+b\n`)],
  ['Glob', (core) => core.judgePaths({ entries: '' }, { entries: '' }, { allow: ['['] })],
  ['Listing', (core) => core.judgePaths({ entries: Uint8Array.of(0xff, 0) }, { entries: '' })],
  ['TooComplex', (core) => searched(core, '(?:\\w{1000}){1000}')],
  ['Syntax', (core) => searched(core, '(('.repeat(2000))],
  ['Budget', (core) => searched(core, '(?:a*)*b', 'a'.repeat(4000))],
];

function searched(core: Core, pattern: string, contents = 'text') {
  using index = core.createIndex();
  index.put([{ path: 'x', contents }]);
  return index.search({ pattern, regex: true, budget: 1000 });
}

export const errorCases: readonly Case[] = hostile.map(([code, operation], nth) => ({
  name: `error ${nth} (${code}): the next operation works`,
  run: (core) => [
    (thrown(() => operation(core)) as CoreError).code,
    core.diffTexts([{ before: 'a', after: 'b' }]).map(({ added }) => added),
  ],
  expected: [code, [1]],
}));
