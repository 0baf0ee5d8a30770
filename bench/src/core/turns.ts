import { setImmediate } from 'node:timers/promises';

/** Does something once, or as often as it likes, and returns how many milliseconds once takes. */
export type Timed = () => number | Promise<number>;

export interface Turns {
  ours: number[];
  theirs: number[];
}

/** Measures both sides in turn, so that a machine that gets slower half-way does not change their ratio. Who begins changes as well. */
export async function inTurn(pairs: number, ours: Timed, theirs: Timed): Promise<Turns> {
  const turns: Turns = { ours: [], theirs: [] };
  const sides = [async () => turns.ours.push(await ours()), async () => turns.theirs.push(await theirs())];
  for (let pair = 0; pair < pairs; pair++) {
    for (const side of pair % 2 === 0 ? sides : sides.toReversed()) {
      await side();
      // Operations are synchronous: signals and the display want a turn, too.
      await setImmediate();
    }
  }
  return turns;
}

/** A sample lasts as long at least, since the clock and the scheduler have some effect on what is shorter. */
const SAMPLE_MS = 50;

/** Times a synchronous operation, over as many repetitions as make a sample. */
export function timed(operation: () => void): () => number {
  return () => {
    let times = 0;
    const start = performance.now();
    let elapsed = 0;
    do {
      operation();
      times += 1;
      elapsed = performance.now() - start;
    } while (elapsed < SAMPLE_MS);
    return elapsed / times;
  };
}

const WARM_UP_MS = 400;

/** Repeats an operation until V8 has had the time to compile it with its optimising compilers. Returns how long the last one took. */
export function warmUp(operation: () => void): number {
  const start = performance.now();
  for (;;) {
    const before = performance.now();
    operation();
    const now = performance.now();
    if (now - start >= WARM_UP_MS) return now - before;
  }
}

/** Repetitions of a pair: many of what is quick, since a sample of it is easily disturbed. */
export const pairsFor = (rounds: number, milliseconds: number): number => (milliseconds > 1000 ? rounds : 5 * rounds);

export const perSecond = (milliseconds: readonly number[]): number[] => milliseconds.map((ms) => 1000 / ms);
