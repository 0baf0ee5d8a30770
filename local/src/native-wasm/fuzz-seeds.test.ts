import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { seeds } from './fuzz-seeds.ts';

test('each target has inputs to begin with', () => {
  const repository = resolve(import.meta.dirname, '../../..');
  const targets = readdirSync(join(repository, 'native-wasm/fuzz/targets'));
  const inputs = seeds(repository);
  expect(Object.keys(inputs).sort()).toEqual(targets.map((file) => basename(file, '.rs')).sort());
  for (const input of Object.values(inputs).flat()) expect(input.includes(0x1e)).toBe(true);
  for (const target of ['paths', 'secrets', 'weakening']) expect(inputs[target]?.length).toBeGreaterThan(10);
});
