import { expect, test } from 'vitest';
import { counts, isFound } from './secrets.ts';

test.each([
  { found: ['key = "abcdefgh"'], is: true, name: 'with what is around it' },
  { found: ['cdefgh'], is: true, name: 'without its prefix' },
  { found: ['', 'other'], is: false, name: 'something else' },
  { found: [], is: false, name: 'nothing' },
])('a secret is found $name: $is', ({ found, is }) => {
  expect(isFound({ secret: 'abcdefgh' }, found)).toBe(is);
});

test('names are counted', () => {
  expect(counts(['a', 'b', 'a'])).toEqual({ a: 2, b: 1 });
});
