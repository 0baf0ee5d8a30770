import { beforeEach, describe, expect, test } from 'vitest';
import type { Candidate } from './admit.ts';
import { Scheduler } from './scheduler.ts';

const candidate = (key: string, change: Partial<Candidate> = {}): Candidate => ({
  key,
  uid: `uid-${key}`,
  project: 'p',
  priority: 0,
  createdAt: 0,
  pools: ['ns/a'],
  ...change,
});

let max: number;
let changed: string[];
let deferred: (() => void)[];
let scheduler: Scheduler;

/** Runs the passes that were asked for. */
const settle = () => {
  for (const run of deferred.splice(0)) run();
};
const ask = (...keys: string[]) => {
  for (const key of keys) scheduler.request(candidate(key));
  settle();
};

beforeEach(() => {
  max = 1;
  changed = [];
  deferred = [];
  scheduler = new Scheduler({
    limits: { project: () => undefined, workflow: () => undefined, pool: () => max },
    changed: (keys) => changed.push(...keys),
    defer: (run) => deferred.push(run),
  });
});

describe('asking for a slot', () => {
  test('is answered after the pass, and both are told', () => {
    scheduler.request(candidate('a'));
    expect(scheduler.place('a')).toEqual({ state: 'waiting' });
    ask('b');
    expect(scheduler.place('a')).toEqual({ state: 'admitted', pool: 'ns/a' });
    expect(scheduler.place('b')).toMatchObject({ state: 'waiting', reason: 'CapacityFull' });
    expect(changed).toEqual(['a', 'b']);
  });

  test('many requests make one pass', () => {
    scheduler.request(candidate('a'));
    scheduler.request(candidate('b'));
    expect(deferred).toHaveLength(1);
  });

  test('again changes nothing', () => {
    ask('a', 'b');
    scheduler.request(candidate('a'));
    scheduler.request(candidate('b'));
    expect(deferred).toHaveLength(0);
    expect(scheduler.place('a').state).toBe('admitted');
  });

  test.each([
    ['other pools', { pools: ['ns/b'] }],
    ['another priority', { priority: 1 }],
  ])('again with %s counts', (_, change) => {
    max = 0;
    ask('a');
    scheduler.request(candidate('a', change));
    expect(deferred).toHaveLength(1);
  });

  test('nobody who was told before is told the same again', () => {
    ask('a', 'b');
    changed = [];
    ask('c');
    expect(changed).toEqual(['c']);
  });
});

describe('giving up a slot', () => {
  test('lets the next one in', () => {
    ask('a', 'b');
    scheduler.release('a');
    settle();
    expect(scheduler.place('a')).toEqual({ state: 'unknown' });
    expect(scheduler.place('b').state).toBe('admitted');
  });

  test('that was never held makes no pass', () => {
    ask('a', 'b');
    scheduler.release('b');
    scheduler.release('nobody');
    expect(deferred).toHaveLength(0);
  });

  test('and asking again, one is told again why one waits', () => {
    ask('a', 'b');
    scheduler.release('b');
    changed = [];
    ask('b');
    expect(changed).toEqual(['b']);
    expect(scheduler.place('b')).toMatchObject({ reason: 'CapacityFull' });
  });
});

describe('a task that is at work already', () => {
  const held = { key: 'a', uid: 'uid-a', project: 'p', pool: 'ns/a' };
  test('takes its slot before anybody asks', () => {
    scheduler.occupy(held);
    ask('b');
    expect(scheduler.place('b')).toMatchObject({ state: 'waiting', reason: 'CapacityFull' });
  });
  test('waits no longer', () => {
    max = 0;
    ask('a');
    scheduler.occupy(held);
    expect(scheduler.waitingPerPool()).toEqual(new Map());
    expect(scheduler.place('a').state).toBe('admitted');
  });
  test('on another pool than admitted gives the slot there back', () => {
    ask('a', 'b');
    scheduler.occupy({ ...held, pool: 'ns/b' });
    settle();
    expect(scheduler.inUse()).toEqual(
      new Map([
        ['ns/b', 1],
        ['ns/a', 1],
      ]),
    );
    expect(scheduler.place('b').state).toBe('admitted');
  });
});

test.each([
  ['holds a slot', 1],
  ['waits', 0],
])('a task that is no more and %s gives way to one of its name', (_, limit) => {
  max = limit;
  ask('a');
  expect(scheduler.releaseOthers('a', 'uid-a')).toBe(false);
  expect(scheduler.releaseOthers('a', 'another')).toBe(true);
  expect(scheduler.place('a')).toEqual({ state: 'unknown' });
  expect(scheduler.releaseOthers('a', 'another')).toBe(false);
});

test('a limit that was raised lets more in, one that was lowered ends nothing', () => {
  ask('a', 'b', 'c');
  max = 2;
  scheduler.refresh();
  settle();
  expect(scheduler.inUse()).toEqual(new Map([['ns/a', 2]]));
  max = 0;
  scheduler.refresh();
  settle();
  expect(scheduler.inUse()).toEqual(new Map([['ns/a', 2]]));
});

test('who waits is counted for every pool that could run it', () => {
  max = 0;
  scheduler.request(candidate('a', { pools: ['ns/a', 'ns/b'] }));
  ask('c');
  expect(scheduler.waitingPerPool()).toEqual(
    new Map([
      ['ns/a', 2],
      ['ns/b', 1],
    ]),
  );
});
