import { describe, expect, it } from 'vitest';
import { keyedLock, semaphore } from './semaphore.ts';

/** Work that ends when it is told to, and says how much of it runs at once. */
function gauge() {
  let running = 0;
  const ends: (() => void)[] = [];
  const result = {
    most: 0,
    ends,
    work: async (value: number) => {
      running += 1;
      result.most = Math.max(result.most, running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running -= 1;
      return value;
    },
  };
  return result;
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a semaphore', () => {
  it('lets so many work at once, in their order, and returns what they return', async () => {
    const { work, ends, ...rest } = gauge();
    const limit = semaphore(2);
    const all = [1, 2, 3, 4, 5].map((value) => limit(() => work(value)));
    const order: number[] = [];
    for (const [index, one] of all.entries()) void one.then(() => order.push(index));
    for (let i = 0; i < 5; i += 1) {
      await turn();
      expect(ends.length).toBe(Math.min(i + 2, 5));
      ends[i]?.();
    }
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 5]);
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(rest.most).toBeLessThanOrEqual(2);
  });

  it('is free again after an error', async () => {
    const limit = semaphore(1);
    await expect(limit(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await limit(async () => 'yes')).toBe('yes');
  });
});

it('locks each key apart', async () => {
  const lock = keyedLock();
  const seen: string[] = [];
  let release = () => {};
  const held = lock(
    'a',
    () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
  );
  const waits = lock('a', async () => void seen.push('a'));
  await lock('b', async () => void seen.push('b'));
  expect(seen).toEqual(['b']);
  release();
  await Promise.all([held, waits]);
  expect(seen).toEqual(['b', 'a']);
});
