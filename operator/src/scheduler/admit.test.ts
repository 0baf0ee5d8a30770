import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit, byPrecedence, type Candidate, type Holder, type Limits } from './admit.ts';

const candidate = (key: string, change: Partial<Candidate> = {}): Candidate => ({
  key,
  uid: `uid-${key}`,
  project: 'p',
  workflow: 'w',
  priority: 0,
  createdAt: 0,
  pools: ['ns/a'],
  ...change,
});
const holder = (key: string, pool: string, change: Partial<Holder> = {}): Holder => ({
  key,
  uid: `uid-${key}`,
  project: 'p',
  workflow: 'w',
  pool,
  ...change,
});
const limits = (change: Partial<Limits> = {}): Limits => ({
  project: () => undefined,
  workflow: () => undefined,
  pool: () => 1000,
  ...change,
});

describe('who goes first', () => {
  test.each<[string, Candidate[], string[]]>([
    ['priority', [candidate('a'), candidate('b', { priority: 1 })], ['b', 'a']],
    ['then age', [candidate('a', { createdAt: 2 }), candidate('b', { createdAt: 1 })], ['b', 'a']],
    ['then the key', [candidate('b'), candidate('a')], ['a', 'b']],
    [
      'priority over age',
      [candidate('a', { createdAt: 1 }), candidate('b', { createdAt: 2, priority: 1 })],
      ['b', 'a'],
    ],
  ])('%s', (_, waiting, order) => {
    expect(admit(waiting, [], limits()).admitted.map(({ key }) => key)).toEqual(order);
    expect(admit([...waiting].reverse(), [], limits()).admitted.map(({ key }) => key)).toEqual(order);
  });
});

describe('who waits, and why', () => {
  test.each<[string, Candidate[], Holder[], Partial<Limits>, string, RegExp]>([
    [
      'the limit of the project',
      [candidate('a')],
      [holder('x', 'ns/b', { workflow: 'other' })],
      { project: () => 1 },
      'ParallelismLimit',
      /1 tasks of the project are at work, its limit: raise spec.limits.maxParallelTasks/,
    ],
    [
      'the limit of the Workflow',
      [candidate('a')],
      [holder('x', 'ns/b', { project: 'other' })],
      { workflow: () => 1 },
      'ParallelismLimit',
      /1 tasks of the Workflow are at work, its spec.parallelism/,
    ],
    [
      'the capacity of all its pools',
      [candidate('a', { pools: ['ns/a', 'ns/b'] })],
      [holder('x', 'ns/a'), holder('y', 'ns/b')],
      { pool: () => 1 },
      'CapacityFull',
      /every agent that could run it is busy; pools and their spec.scale.max: a \(1\), b \(1\)/,
    ],
    ['a pool that takes nothing', [candidate('a')], [], { pool: () => 0 }, 'CapacityFull', /a \(0\)/],
  ])('%s', (_, waiting, holders, change, reason, message) => {
    const { admitted, waits } = admit(waiting, holders, limits(change));
    expect(admitted).toEqual([]);
    expect(waits.get('a')).toEqual({ reason, message: expect.stringMatching(message) });
  });

  test('limits of others do not count', () => {
    const holders = [holder('x', 'ns/b', { project: 'q', workflow: 'v' })];
    const all = limits({ project: () => 1, workflow: () => 1, pool: () => 1 });
    expect(admit([candidate('a')], holders, all).admitted).toEqual([{ key: 'a', pool: 'ns/a' }]);
  });

  test('a task that stands alone has no Workflow limit', () => {
    const { workflow: _, ...alone } = candidate('a');
    expect(admit([alone], [], limits({ workflow: () => 0 })).admitted).toHaveLength(1);
  });

  test('those admitted in one pass count for those after them', () => {
    const waiting = [candidate('a'), candidate('b'), candidate('c')];
    expect(admit(waiting, [], limits({ pool: () => 2 })).admitted.map(({ key }) => key)).toEqual(['a', 'b']);
    expect(admit(waiting, [], limits({ project: () => 2 })).admitted).toHaveLength(2);
    expect(admit(waiting, [], limits({ workflow: () => 2 })).admitted).toHaveLength(2);
  });

  test('the preferred pool first, the next when it is full', () => {
    const waiting = [candidate('a', { pools: ['ns/a', 'ns/b'] }), candidate('b', { pools: ['ns/a', 'ns/b'] })];
    expect(admit(waiting, [], limits({ pool: () => 1 })).admitted).toEqual([
      { key: 'a', pool: 'ns/a' },
      { key: 'b', pool: 'ns/b' },
    ]);
  });

  test('one that cannot go does not hold up those behind it', () => {
    const waiting = [candidate('a', { priority: 9, pools: ['ns/full'] }), candidate('b')];
    const { admitted } = admit(waiting, [], limits({ pool: (name) => (name === 'ns/full' ? 0 : 1) }));
    expect(admitted.map(({ key }) => key)).toEqual(['b']);
  });
});

describe('for any load', () => {
  const names = fc.constantFrom('1', '2', '3');
  const candidates = fc.uniqueArray(
    fc.record({
      key: fc.string({ minLength: 1, maxLength: 3 }),
      uid: fc.constant('uid'),
      project: names,
      workflow: names,
      priority: fc.integer({ min: -1, max: 1 }),
      createdAt: fc.nat(3),
      pools: fc.uniqueArray(names, { minLength: 1 }),
    }),
    { selector: ({ key }) => key, maxLength: 30 },
  );
  const load = fc.record({
    waiting: candidates,
    holding: fc.array(fc.record({ project: names, workflow: names, pool: names }), { maxLength: 8 }),
    project: fc.option(fc.nat(6), { nil: undefined }),
    workflow: fc.option(fc.nat(6), { nil: undefined }),
    pool: fc.nat(6),
  });

  test('no limit is passed, everybody is answered once, the order of asking does not matter', () => {
    fc.assert(
      fc.property(load, ({ waiting, holding, project, workflow, pool }) => {
        const all: Limits = { project: () => project, workflow: () => workflow, pool: () => pool };
        const holders = holding.map((entry, i) => ({ key: `held-${i}`, uid: `held-${i}`, ...entry }));
        const { admitted, waits } = admit(waiting, holders, all);
        const byKey = new Map(waiting.map((entry) => [entry.key, entry]));
        const now = [...holders, ...admitted.map(({ key, pool: taken }) => ({ ...byKey.get(key), key, pool: taken }))];
        for (const field of ['project', 'workflow', 'pool'] as const) {
          const limit = { project, workflow, pool }[field];
          for (const name of ['1', '2', '3']) {
            const before = holders.filter((entry) => entry[field] === name).length;
            const after = now.filter((entry) => entry[field] === name).length;
            expect(after).toBeLessThanOrEqual(Math.max(before, limit ?? after));
          }
        }
        expect([...admitted.map(({ key }) => key), ...waits.keys()].sort()).toEqual([...byKey.keys()].sort());
        for (const { key, pool: taken } of admitted) expect(byKey.get(key)?.pools).toContain(taken);
        expect(admit([...waiting].reverse(), holders, all)).toEqual({ admitted, waits });
        expect(admitted.map(({ key }) => byKey.get(key) as Candidate)).toEqual(
          admitted.map(({ key }) => byKey.get(key) as Candidate).sort(byPrecedence),
        );
      }),
    );
  });

  test('nobody waits who could go', () => {
    fc.assert(
      fc.property(load, ({ waiting, holding, project, workflow, pool }) => {
        const all: Limits = { project: () => project, workflow: () => workflow, pool: () => pool };
        const holders: Holder[] = holding.map((entry, i) => ({ key: `held-${i}`, uid: `held-${i}`, ...entry }));
        const { admitted, waits } = admit(waiting, holders, all);
        const after = [
          ...holders,
          ...admitted.map(({ key, pool: taken }) => ({
            ...(waiting.find((entry) => entry.key === key) as Candidate),
            pool: taken,
          })),
        ];
        const left = waiting.filter(({ key }) => waits.has(key));
        expect(admit(left, after, all).admitted).toEqual([]);
      }),
    );
  });
});
