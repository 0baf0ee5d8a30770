import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { loadCore } from './node.ts';
import { cases } from './testing/cases/index.ts';

const generated = (file: string) => readFileSync(new URL(`./generated/${file}`, import.meta.url));

test.each(cases)('$name', async ({ run, expected }) => {
  expect(run(await loadCore())).toEqual(expected);
});

test('there is one core for a thread', async () => {
  expect(await loadCore()).toBe(await loadCore());
});

test.each(['core-simd.wasm', 'core-scalar.wasm'])('%s is at most 600 KB, compressed', (file) => {
  expect(gzipSync(generated(file), { level: 9 }).length).toBeLessThanOrEqual(600_000);
});

test('only one of the builds needs SIMD, and neither says where it was built', () => {
  // The prefix of the instructions of SIMD may occur as data: whether the build without them has none is for an engine without them to say.
  expect(generated('core-simd.wasm').equals(generated('core-scalar.wasm'))).toBe(false);
  for (const file of ['core-simd.wasm', 'core-scalar.wasm'])
    expect(generated(file).toString('latin1')).not.toMatch(/\/(root|home|tmp|usr)\//);
});
