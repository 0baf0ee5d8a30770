import { expect, test } from 'vitest';
import type { SourceFile } from './corpus.ts';
import { frequentWords, rareWords } from './queries.ts';

const file = (path: string, text: string): SourceFile => ({ path, contents: Buffer.from(text) });

test('queries are words of the files', () => {
  const files = [file('a', 'notification notification x'), file('b', 'notification somethingElse'), file('c', 'short')];
  expect(frequentWords(files)).toEqual(['notification', 'somethingElse']);
  expect([...rareWords(files)].every((word) => ['notification', 'somethingElse'].includes(word))).toBe(true);
});
