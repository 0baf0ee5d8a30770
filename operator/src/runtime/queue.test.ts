import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DelayHeap } from './delay-heap.ts';
import { noMetrics } from './metrics.ts';
import { WorkQueue } from './queue.ts';
import { fakeClock, settle } from './testing/fake-clock.ts';

function queueWithClock(random = () => 0.5) {
  const clock = fakeClock();
  return { clock, queue: new WorkQueue({ name: 'test', clock, random, backoff: { baseMs: 100, capMs: 1_000 } }) };
}

describe('WorkQueue', () => {
  it('gives keys in the order they came, each once', () => {
    const { queue } = queueWithClock();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(queue.length).toBe(3);
    expect([queue.take(), queue.take(), queue.take()]).toEqual(['a', 'b', 'c']);
  });

  it('holds a key back while it is in flight, then gives it again behind the others', () => {
    const { queue } = queueWithClock();
    queue.add('a');
    expect(queue.take()).toBe('a');
    queue.add('a');
    queue.add('b');
    queue.add('a');
    expect(queue.length).toBe(1);
    queue.done('a');
    expect([queue.take(), queue.take()]).toEqual(['b', 'a']);
    queue.done('a');
    expect(queue.length).toBe(0);
  });

  it('wakes takers in turn', async () => {
    const { queue } = queueWithClock();
    const taken: string[] = [];
    for (const name of ['one', 'two']) Promise.resolve(queue.take()).then((key) => taken.push(`${name}:${key}`));
    queue.add('a');
    queue.add('b');
    await settle();
    expect(taken).toEqual(['one:a', 'two:b']);
  });

  it('delays: the earliest of several holds, and an add does not wait for it', async () => {
    const { clock, queue } = queueWithClock();
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 300);
    queue.addAfter('a', 2_000);
    queue.addAfter('b', 200);
    await clock.advance(199);
    expect(queue.length).toBe(0);
    await clock.advance(101);
    expect([queue.take(), queue.take()]).toEqual(['b', 'a']);
    expect(queue.delayed).toBe(0);
    queue.addAfter('c', 500);
    queue.add('c');
    expect(queue.take()).toBe('c');
  });

  const impossible = [
    { name: 'zero', ms: 0 },
    { name: 'negative', ms: -5 },
    { name: 'not a number', ms: Number.NaN },
  ];
  it.each(impossible)('a delay that is $name adds at once', ({ ms }) => {
    const { queue } = queueWithClock();
    queue.addAfter('a', ms);
    expect(queue.take()).toBe('a');
  });

  it('backs off exponentially per key, with a cap and a floor, until forgotten', () => {
    const { queue } = queueWithClock(() => 0.5);
    expect([1, 2, 3, 4, 5, 6].map(() => queue.addWithBackoff('a'))).toEqual([50, 100, 200, 400, 500, 500]);
    expect(queue.failures('a')).toBe(6);
    expect(queue.addWithBackoff('b', 5_000)).toBe(5_050);
    queue.forget('a');
    expect(queue.failures('a')).toBe(0);
    expect(queue.addWithBackoff('a')).toBe(50);
  });

  it('shuts down: takers end, waiting keys are dropped, those in flight are waited for', async () => {
    const { clock, queue } = queueWithClock();
    queue.add('a');
    expect(queue.take()).toBe('a');
    queue.addAfter('late', 10);
    const taker = queue.take();
    queue.shutDown();
    expect(await taker).toBeUndefined();
    queue.add('b');
    await clock.advance(1_000);
    expect(queue.length).toBe(0);
    expect(queue.take()).toBeUndefined();
    let drained = false;
    queue.drained().then(() => {
      drained = true;
    });
    await settle();
    expect(drained).toBe(false);
    queue.done('a');
    await settle();
    expect(drained).toBe(true);
  });

  it('refuses a done without a take', () => {
    const { queue } = queueWithClock();
    expect(() => queue.done('a')).toThrow('not in flight');
  });

  it('measures depth, retries and how long a key was due', async () => {
    const clock = fakeClock();
    const seen: Record<string, number[]> = { depth: [], latency: [], retries: [] };
    const metrics = {
      ...noMetrics,
      queueDepth: (_: string, depth: number) => seen.depth?.push(depth),
      queueLatency: (_: string, seconds: number) => seen.latency?.push(seconds),
      queueRetry: () => seen.retries?.push(1),
    };
    const queue = new WorkQueue({ name: 'test', clock, metrics, random: () => 0 });
    queue.add('a');
    await clock.advance(1_500);
    queue.take();
    queue.add('a');
    await clock.advance(500);
    queue.done('a');
    queue.take();
    queue.addWithBackoff('a');
    expect(seen).toEqual({ depth: [1, 0, 1, 0], latency: [1.5, 0.5], retries: [1] });
  });

  it('whatever is interleaved: one key in flight once, and no add is lost', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key }),
      fc.record({ do: fc.constant('addAfter' as const), key, ms: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ do: fc.constant('fail' as const), key }),
      fc.record({ do: fc.constant('take' as const) }),
      fc.record({ do: fc.constant('done' as const), pick: fc.nat() }),
      fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 80 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, queue } = queueWithClock();
        const inFlight = new Set<string>();
        /** Keys added since they were last taken: each of them must be taken again. */
        const owed = new Set<string>();
        const take = () => {
          const taken = queue.take();
          if (typeof taken !== 'string') throw new Error('took from an empty queue');
          expect(inFlight.has(taken)).toBe(false);
          inFlight.add(taken);
          owed.delete(taken);
        };
        for (const now of steps) {
          if (now.do === 'add') queue.add(now.key);
          if (now.do === 'addAfter') queue.addAfter(now.key, now.ms);
          if (now.do === 'fail') queue.addWithBackoff(now.key);
          if ('key' in now) owed.add(now.key);
          if (now.do === 'take' && queue.length > 0) take();
          if (now.do === 'done' && inFlight.size > 0) {
            const done = [...inFlight][now.pick % inFlight.size] as string;
            inFlight.delete(done);
            queue.done(done);
          }
          if (now.do === 'advance') await clock.advance(now.ms);
          expect(queue.inFlight).toBe(inFlight.size);
        }
        await clock.advance(2_000);
        for (const key of [...inFlight]) {
          inFlight.delete(key);
          queue.done(key);
        }
        while (queue.length > 0) take();
        expect([...owed]).toEqual([]);
        expect(queue.delayed).toBe(0);
      }),
    );
  });
});

it('DelayHeap gives keys in the order they are due, each at its earliest time, unless they are removed', () => {
  const entry = fc.tuple(fc.integer({ min: 0, max: 20 }).map(String), fc.option(fc.nat(100), { freq: 3 }));
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const heap = new DelayHeap();
      const expected = new Map<string, number>();
      for (const [key, dueAt] of entries) {
        if (dueAt === null) {
          heap.remove(key);
          expected.delete(key);
          continue;
        }
        heap.add(key, dueAt);
        expected.set(key, Math.min(dueAt, expected.get(key) ?? Number.POSITIVE_INFINITY));
      }
      const got: { key: string; dueAt: number }[] = [];
      for (let due = heap.takeDue(100); due !== undefined; due = heap.takeDue(100))
        got.push({ key: due.key, dueAt: due.dueAt });
      expect(got.map(({ dueAt }) => dueAt)).toEqual([...expected.values()].sort((a, b) => a - b));
      expect(new Map(got.map(({ key, dueAt }) => [key, dueAt]))).toEqual(expected);
      expect(heap.size).toBe(0);
    }),
  );
});
