import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contentKey, folderKey } from './content-key.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'content-key-'));
  mkdirSync(join(folder, 'inner'));
  writeFileSync(join(folder, 'a'), 'one');
  writeFileSync(join(folder, 'inner/b'), 'two');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('where one part ends and the next begins counts', () => {
  expect(contentKey('ab', 'c')).not.toBe(contentKey('a', 'bc'));
  expect(contentKey('ab', 'c')).toMatch(/^[0-9a-f]{12}$/);
});

test.each([
  { change: 'a byte', make: () => writeFileSync(join(folder, 'inner/b'), 'twO') },
  { change: 'a name', make: () => renameSync(join(folder, 'a'), join(folder, 'c')) },
  { change: 'a place', make: () => renameSync(join(folder, 'a'), join(folder, 'inner/a')) },
  { change: 'an empty file', make: () => writeFileSync(join(folder, 'd'), '') },
])('a folder has another key after $change has changed', ({ make }) => {
  const before = folderKey(folder);
  expect(folderKey(folder)).toBe(before);
  make();
  expect(folderKey(folder)).not.toBe(before);
});
