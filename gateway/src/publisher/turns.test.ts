import { beforeEach, expect, it } from 'vitest';
import { type TakeTurns, takeTurns } from './turns.ts';

let take: TakeTurns;
let done: string[];

beforeEach(() => {
  take = takeTurns(60_000);
  done = [];
});

/** Starts work that ends when it is told to. */
function start(key: string, name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const taken = take(key, async () => {
    done.push(name);
    await promise;
  });
  return { taken, end: resolve, fail: reject };
}
const moment = () => new Promise<void>((resolve) => setImmediate(resolve));

it('goes one by one for a key, in the order of arrival, and leaves other keys alone', async () => {
  const [first, second, third] = ['1', '2', '3'].map((name) => start('a', name));
  const other = start('b', 'other');
  await moment();
  expect(done).toEqual(['1', 'other']);
  first?.end();
  expect(await first?.taken).toBe(true);
  await moment();
  expect(done).toEqual(['1', 'other', '2']);
  second?.end();
  await moment();
  third?.end();
  other.end();
  expect(await Promise.all([second?.taken, third?.taken, other.taken])).toEqual([true, true, true]);
  expect(done).toEqual(['1', 'other', '2', '3']);
});

it('does not wait for a key whose work takes long, nor at all when it has taken long already', async () => {
  take = takeTurns(20);
  const slow = start('a', 'slow');
  expect(await take('a', async () => void done.push('never'))).toBe(false);
  let answer: boolean | undefined;
  void take('a', async () => void done.push('never')).then((taken) => {
    answer = taken;
  });
  await moment();
  expect(answer).toBe(false);
  slow.end();
  await slow.taken;
  expect(await take('a', async () => void done.push('later'))).toBe(true);
  expect(done).toEqual(['slow', 'later']);
});

it('is free again after work that failed', async () => {
  const first = start('a', '1');
  const second = start('a', '2');
  first.fail(new Error('broken'));
  await expect(first.taken).rejects.toThrow('broken');
  second.end();
  expect(await second.taken).toBe(true);
});
