import type { Clock } from '../clock.ts';

/** A clock that stands still until it is turned. */
export interface FakeClock extends Clock {
  /** Moves time on and runs what is due, in order; awaits a few turns of the microtask queue after each. */
  advance(ms: number): Promise<void>;
  /** Moves time on without running any timer: what a process sees that was frozen. */
  freeze(ms: number): void;
  /** When the next timer is due, or undefined when there is none. */
  nextDue(): number | undefined;
}

/** A clock for tests, at 0 in monotonic time and in 2026 by the wall. */
export function fakeClock(): FakeClock {
  let now = 0;
  let order = 0;
  const timers = new Set<{ dueAt: number; order: number; run: () => void }>();
  const first = () => [...timers].sort((a, b) => a.dueAt - b.dueAt || a.order - b.order)[0];

  return {
    now: () => now,
    wall: () => Date.UTC(2026, 0, 1) + now,
    after: (ms, run) => {
      order += 1;
      const timer = { dueAt: now + Math.max(0, ms), order, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: async (ms) => {
      const until = now + ms;
      await settle();
      for (let timer = first(); timer !== undefined && timer.dueAt <= until; timer = first()) {
        timers.delete(timer);
        now = Math.max(now, timer.dueAt);
        timer.run();
        await settle();
      }
      now = until;
      await settle();
    },
    freeze: (ms) => {
      now += ms;
    },
    nextDue: () => first()?.dueAt,
  };
}

/** Lets promises that are ready run on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
