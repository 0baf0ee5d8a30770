import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit, byPrecedence, type Candidate, type Cause, explain, type Holder, type Limits } from './admit.ts';
import { Holders } from './usage.ts';

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

function decide(waiting: readonly Candidate[], holding: readonly Holder[], all: Limits) {
  const holders = new Holders();
  for (const one of holding) holders.set(one);
  const wanted = new Set(waiting.flatMap(({ pools }) => pools));
  return admit([...waiting].sort(byPrecedence), wanted, holders, all);
}

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
    expect(decide(waiting, [], limits()).admitted.map(({ key }) => key)).toEqual(order);
  });
});

describe('who waits, and why', () => {
  // The pool that has a slot left is what makes the others be looked at.
  const other = candidate('z', { project: 'q', workflow: 'v', pools: ['ns/free'] });
  test.each<[string, Candidate, Holder[], Partial<Limits>, Cause, string, RegExp]>([
    [
      'the limit of the project',
      candidate('a'),
      [holder('x', 'ns/b', { workflow: 'other' })],
      { project: () => 1 },
      'project',
      'ParallelismLimit',
      /1 tasks of the project are at work, its limit: raise spec.limits.maxParallelTasks/,
    ],
    [
      'the limit of the Workflow',
      candidate('a'),
      [holder('x', 'ns/b', { project: 'other' })],
      { workflow: () => 1 },
      'workflow',
      'ParallelismLimit',
      /1 tasks of the Workflow are at work, its spec.parallelism/,
    ],
    [
      'the capacity of all its pools',
      candidate('a', { pools: ['ns/a', 'ns/b'] }),
      [holder('x', 'ns/a'), holder('y', 'ns/b')],
      { pool: () => 1 },
      'pools',
      'CapacityFull',
      /every agent that could run it is busy; pools and their spec.scale.max: a \(1\), b \(1\)/,
    ],
    [
      'a pool that takes nothing',
      candidate('a'),
      [],
      { pool: (name) => (name === 'ns/a' ? 0 : 1) },
      'pools',
      'CapacityFull',
      /a \(0\)/,
    ],
  ])('%s', (_, task, holders, change, cause, reason, message) => {
    const all = limits(change);
    const { admitted, waits } = decide([task, other], holders, all);
    expect(admitted).toEqual([{ key: 'z', pool: 'ns/free' }]);
    expect(waits).toEqual(new Map([['a', cause]]));
    expect(explain(cause, task, all)).toEqual({ reason, message: expect.stringMatching(message) });
  });

  test('limits of others do not count', () => {
    const holders = [holder('x', 'ns/b', { project: 'q', workflow: 'v' })];
    const all = limits({ project: () => 1, workflow: () => 1, pool: () => 1 });
    expect(decide([candidate('a')], holders, all).admitted).toEqual([{ key: 'a', pool: 'ns/a' }]);
  });

  test('a task that stands alone has no Workflow limit', () => {
    const { workflow: _, ...alone } = candidate('a');
    expect(decide([alone], [], limits({ workflow: () => 0 })).admitted).toHaveLength(1);
  });

  test('those admitted in one pass count for those after them', () => {
    const waiting = [candidate('a'), candidate('b'), candidate('c')];
    expect(decide(waiting, [], limits({ pool: () => 2 })).admitted.map(({ key }) => key)).toEqual(['a', 'b']);
    expect(decide(waiting, [], limits({ project: () => 2 })).admitted).toHaveLength(2);
    expect(decide(waiting, [], limits({ workflow: () => 2 })).admitted).toHaveLength(2);
  });

  test('the preferred pool first, the next when it is full', () => {
    const waiting = [candidate('a', { pools: ['ns/a', 'ns/b'] }), candidate('b', { pools: ['ns/a', 'ns/b'] })];
    expect(decide(waiting, [], limits({ pool: () => 1 })).admitted).toEqual([
      { key: 'a', pool: 'ns/a' },
      { key: 'b', pool: 'ns/b' },
    ]);
  });

  test('one that cannot go does not hold up those behind it', () => {
    const waiting = [candidate('a', { priority: 9, pools: ['ns/full'] }), candidate('b')];
    const { admitted } = decide(waiting, [], limits({ pool: (name) => (name === 'ns/full' ? 0 : 1) }));
    expect(admitted.map(({ key }) => key)).toEqual(['b']);
  });

  test('nobody is looked at for whom there is no slot', () => {
    const looked: string[] = [];
    const waiting = (function* () {
      for (const key of ['a', 'b', 'c', 'd']) {
        looked.push(key);
        yield candidate(key);
      }
    })();
    const { admitted, waits } = admit(waiting, ['ns/a'], new Holders(), limits({ pool: () => 1 }));
    expect({ admitted, waits, looked }).toEqual({
      admitted: [{ key: 'a', pool: 'ns/a' }],
      waits: new Map(),
      looked: ['a', 'b'],
    });
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
  const limit = fc.option(fc.nat(6), { nil: undefined });
  const load = fc
    .record({
      waiting: candidates,
      holding: fc.array(fc.record({ project: names, workflow: names, pool: names }), { maxLength: 8 }),
      projects: fc.dictionary(names, limit),
      workflows: fc.dictionary(names, limit),
      pools: fc.dictionary(names, fc.nat(6)),
    })
    .map(({ waiting, holding, projects, workflows, pools }) => ({
      waiting,
      holders: holding.map((entry, i): Holder => ({ key: `held-${i}`, uid: `held-${i}`, ...entry })),
      all: {
        project: (name: string) => projects[name],
        workflow: (name: string) => workflows[name],
        pool: (name: string) => pools[name] ?? 0,
      },
    }));

  /** The same decision in the plainest way: everybody is sorted, looked at and counted. */
  function plainly(waiting: readonly Candidate[], holders: readonly Holder[], all: Limits) {
    const now = [...holders];
    const waits = new Map<string, Cause>();
    const isFull = (field: 'project' | 'workflow' | 'pool', name: string) =>
      now.filter((one) => one[field] === name).length >= (all[field](name) ?? Number.POSITIVE_INFINITY);
    for (const task of [...waiting].sort(byPrecedence)) {
      const pool = task.pools.find((name) => !isFull('pool', name));
      if (isFull('project', task.project)) waits.set(task.key, 'project');
      else if (isFull('workflow', task.workflow ?? '')) waits.set(task.key, 'workflow');
      else if (pool === undefined) waits.set(task.key, 'pools');
      else now.push({ ...task, pool });
    }
    return {
      admitted: now.slice(holders.length).map(({ key, pool }) => ({ key, pool })),
      waits,
      isFull: (pool: string) => isFull('pool', pool),
    };
  }

  test('it decides as if everybody had been looked at, and who was not has no pool with a slot', () => {
    fc.assert(
      fc.property(load, ({ waiting, holders, all }) => {
        const { admitted, waits } = decide(waiting, holders, all);
        const plain = plainly(waiting, holders, all);
        expect(admitted).toEqual(plain.admitted);
        for (const [key, cause] of waits) expect(cause).toBe(plain.waits.get(key));
        for (const { key, pools } of waiting)
          if (plain.waits.has(key) && !waits.has(key)) expect(pools.every(plain.isFull)).toBe(true);
      }),
    );
  });

  test('no limit is passed', () => {
    fc.assert(
      fc.property(load, ({ waiting, holders, all }) => {
        const byKey = new Map(waiting.map((entry) => [entry.key, entry]));
        const { admitted } = decide(waiting, holders, all);
        const now = [...holders, ...admitted.map(({ key, pool }) => ({ ...(byKey.get(key) as Candidate), pool }))];
        for (const field of ['project', 'workflow', 'pool'] as const)
          for (const name of ['1', '2', '3']) {
            const before = holders.filter((entry) => entry[field] === name).length;
            const after = now.filter((entry) => entry[field] === name).length;
            expect(after).toBeLessThanOrEqual(Math.max(before, all[field](name) ?? after));
          }
      }),
    );
  });

  test('nobody waits who could go', () => {
    fc.assert(
      fc.property(load, ({ waiting, holders, all }) => {
        const byKey = new Map(waiting.map((entry) => [entry.key, entry]));
        const { admitted } = decide(waiting, holders, all);
        const after = [...holders, ...admitted.map(({ key, pool }) => ({ ...(byKey.get(key) as Candidate), pool }))];
        const gone = new Set(admitted.map(({ key }) => key));
        const left = waiting.filter(({ key }) => !gone.has(key));
        expect(decide(left, after, all).admitted).toEqual([]);
      }),
    );
  });
});
