import { expect, test } from 'vitest';
import { Answer, Request } from './frame.ts';
import { loadCore } from './node.ts';

const core = await loadCore();

test('numbers that are too large become the most that a field can hold', () => {
  const numbers = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53, Number.POSITIVE_INFINITY];
  const request = new Request();
  for (const number of numbers) request.u32(number, 'limit').u64(number, 'budget');
  const bytes = new Uint8Array(request.length);
  request.writeTo(bytes);
  const answer = new Answer(bytes);
  const [most32, most64] = [2 ** 32 - 1, Number.MAX_SAFE_INTEGER];
  expect(numbers.map(() => [answer.u32(), answer.u64()])).toEqual([
    [0, 0],
    [1, 1],
    [most32, most32],
    [most32, 2 ** 32],
    [most32, most64],
    [most32, most64],
  ]);
});

test.each([-1, 0.5, Number.NaN, Number.NEGATIVE_INFINITY])('%s is no number of things', (number) => {
  using index = core.createIndex();
  const message = `is a whole number from 0 on, or Infinity, not ${number}`;
  expect(() => index.search({ pattern: 'a' }, { limit: number })).toThrow(new RangeError(`limit ${message}`));
  expect(() => index.count({ pattern: 'a', budget: number })).toThrow(new RangeError(`budget ${message}`));
});

test('Infinity means all hits, all context and any budget', () => {
  using index = core.createIndex();
  index.put([{ path: 'a', contents: 'a\nb\na\n' }]);
  const all = Number.POSITIVE_INFINITY;
  const { hits, more } = index.search({ pattern: 'a', budget: all }, { limit: all, before: all, behind: all });
  expect(hits.map(({ shown }) => Buffer.from(shown.text).toString())).toEqual(['a\nb\na\n', 'a\nb\na\n']);
  expect(more).toBe(false);
  const [diff] = core.diffTexts([{ before: 'a\nb\n', after: 'a\nc\n' }], { context: all, betweenHunks: all });
  expect(Buffer.from(diff?.hunks ?? '').toString()).toBe('@@ -1,2 +1,2 @@\n a\n-b\n+c\n');
});

test('a name that is unknown is told with those that are known', () => {
  const warn = { classes: { ci: 'warn' as 'deny' } };
  expect(() => core.judgePaths({ entries: '' }, { entries: '' }, warn)).toThrow(
    new RangeError('classes.ci is one of allow, report, deny, not warn'),
  );
});
