import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byPrecedence, type Candidate } from './admit.ts';
import { Waiting } from './waiting.ts';

const candidates = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  uid: fc.constant('uid'),
  project: fc.constant('p'),
  priority: fc.integer({ min: -1, max: 1 }),
  createdAt: fc.nat(2),
  pools: fc.uniqueArray(fc.constantFrom('1', '2', '3'), { minLength: 1 }),
});

test('whoever comes, changes and goes: it is in order, and counted', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), candidates)), (steps) => {
      const waiting = new Waiting();
      const plain = new Map<string, Candidate>();
      for (const [comes, candidate] of steps) {
        if (comes) waiting.set(candidate);
        else waiting.delete(candidate.key);
        if (comes) plain.set(candidate.key, candidate);
        else plain.delete(candidate.key);
      }
      expect([...waiting.values()]).toEqual([...plain.values()].sort(byPrecedence));
      expect(waiting.size).toBe(plain.size);
      const counted: Record<string, number> = {};
      for (const { pools } of plain.values()) for (const pool of pools) counted[pool] = (counted[pool] ?? 0) + 1;
      expect(Object.fromEntries(waiting.pools)).toEqual(counted);
    }),
  );
});
