import { beforeEach, describe, expect, test } from 'vitest';
import { LazyWrites } from './lazy-writes.ts';
import { type FakeClock, fakeClock } from './runtime/testing/fake-clock.ts';

let clock: FakeClock;
let lazy: LazyWrites;

beforeEach(() => {
  clock = fakeClock();
  lazy = new LazyWrites({ clock, delayMs: 100, perSecond: 10, burst: 2 });
});

/** Lets a status wait out its delay. */
const due = (key: string, signature = 's') => {
  lazy.delay(key, signature);
  clock.freeze(100);
};

describe('a status that is true for the moment', () => {
  test('waits, and is written when it has been true for long enough', () => {
    expect(lazy.delay('a', 's')).toBe(100);
    clock.freeze(40);
    expect(lazy.delay('a', 's')).toBe(60);
    clock.freeze(60);
    expect(lazy.delay('a', 's')).toBe(0);
  });

  test('waits longer where it is expensive to write', () => {
    expect(lazy.delay('a', 's', 250)).toBe(250);
    clock.freeze(100);
    expect(lazy.delay('a', 's', 250)).toBe(150);
    clock.freeze(150);
    expect(lazy.delay('a', 's', 250)).toBe(0);
  });

  test('that changes meanwhile waits anew', () => {
    due('a', 's');
    expect(lazy.delay('a', 't')).toBe(100);
  });

  test('that was written, or is gone, waits anew', () => {
    due('a');
    expect(lazy.delay('a', 's')).toBe(0);
    expect(lazy.delay('a', 's')).toBe(100);
    clock.freeze(100);
    lazy.clear('a');
    expect(lazy.delay('a', 's')).toBe(100);
  });

  test('waits by itself', () => {
    due('a');
    expect(lazy.delay('b', 's')).toBe(100);
    expect(lazy.delay('a', 's')).toBe(0);
  });
});

describe('the budget', () => {
  test('is shared, bounded, and refilled', () => {
    for (const key of ['a', 'b', 'c']) lazy.delay(key, 's');
    clock.freeze(100);
    expect(['a', 'b', 'c'].map((key) => lazy.delay(key, 's'))).toEqual([0, 0, 100]);
    clock.freeze(100);
    expect(lazy.delay('c', 's')).toBe(0);
  });

  test('does not grow while nothing happens', () => {
    clock.freeze(60_000);
    for (const key of ['a', 'b', 'c']) due(key);
    const answers = ['a', 'b', 'c'].map((key) => lazy.delay(key, 's'));
    expect(answers.filter((ms) => ms === 0)).toHaveLength(2);
  });
});
