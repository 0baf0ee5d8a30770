import { expect, test } from 'vitest';
import { batches, type SourceFile, upTo } from './corpus.ts';

const file = (path: string, text: string): SourceFile => ({ path, contents: Buffer.from(text) });

test('files are taken up to a size, and handed over in batches', () => {
  const files = ['aaaa', 'bb', 'cccc', 'd'].map((text, index) => file(`${index}`, text));
  expect(upTo(files, 5)).toEqual({ files: files.slice(0, 2), bytes: 6 });
  expect(upTo(files, 100).bytes).toBe(11);
  expect([...batches(files, 5)].map((batch) => batch.length)).toEqual([2, 2]);
  expect([...batches(files, 100)].flat()).toEqual(files);
  expect([...batches([], 5)]).toEqual([]);
});
