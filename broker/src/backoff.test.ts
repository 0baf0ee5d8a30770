import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fullJitter, sleep } from './backoff.ts';

it('grows exponentially up to its cap and spreads down to zero', () => {
  const most = (attempt: number) => fullJitter(attempt, 100, 10_000, () => 1);
  expect([0, 1, 2, 6, 7, 1_000_000].map(most)).toEqual([100, 200, 400, 6400, 10_000, 10_000]);
  expect(fullJitter(5, 100, 10_000, () => 0)).toBe(0);
});

it('stays within its bounds', () => {
  fc.assert(
    fc.property(fc.nat(), (attempt) => {
      const delay = fullJitter(attempt, 100, 10_000);
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThan(10_000);
    }),
  );
});

it('ends a sleep when aborted, also before it begins', async () => {
  const stop = new AbortController();
  const sleeping = sleep(60_000, stop.signal);
  stop.abort();
  await sleeping;
  await sleep(60_000, stop.signal);
});
