import { describe, expect, it } from 'vitest';
import { fairSemaphore, keyedLock } from './semaphore.ts';

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
    const limit = fairSemaphore(2, 2);
    const all = [1, 2, 3, 4, 5].map((value) => limit('a', () => work(value)));
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
    const limit = fairSemaphore(1, 1);
    await expect(limit('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await limit('a', async () => 'yes')).toBe('yes');
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

it('keeps room for others beside who wants everything', async () => {
  const slots = fairSemaphore(4, 2);
  const running: string[] = [];
  const ends: (() => void)[] = [];
  const work = (key: string) =>
    slots(key, async () => {
      running.push(key);
      await new Promise<void>((end) => ends.push(end));
    });
  const greedy = [work('a'), work('a'), work('a'), work('a')];
  await turn();
  expect(running).toEqual(['a', 'a']);
  const others = [work('b'), work('c'), work('d')];
  await turn();
  expect(running).toEqual(['a', 'a', 'b', 'c']);
  // A slot of its own goes to the next of the same key only when nobody before it may have it.
  ends[0]?.();
  await turn();
  expect(running).toEqual(['a', 'a', 'b', 'c', 'a']);
  for (let i = 1; i < ends.length; i++) {
    ends[i]?.();
    await turn();
  }
  await Promise.all([...greedy, ...others]);
  expect(running.filter((key) => key === 'a')).toHaveLength(4);
});
