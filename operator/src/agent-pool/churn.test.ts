import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aPool, NOW } from '../testing/objects.ts';
import { aSandbox } from '../testing/observations.ts';
import { planPool, type SandboxView } from './plan.ts';
import { Troubles } from './troubles.ts';

const IMAGES = ['good', 'better', 'bad', 'worse', 'flaky'];
const problem = { reason: 'ImagePull', message: 'ErrImagePull: not found' };
const SECOND = 1000;
const START_MS = 2 * SECOND;
/** Until it is known that `worse` is not pulled: its registry does not answer. */
const NO_ANSWER_MS = 30 * SECOND;
const TASK_MS = 3 * SECOND;
const LENGTH_MS = 600 * SECOND;
/** Starts of one image in `LENGTH_MS` with pauses of 5, 10, 20 … 300 s, and one more for the last. */
const TRIES = 9;

/** In a row, with nothing new outside. */
const PASSES = 20;

const startMs = (image: string): number => (image === 'worse' ? NO_ANSWER_MS : START_MS);

interface Load {
  max: number;
  warm: number;
  /** Images of the Projects. */
  projects: string[];
  /** Tasks by the second in which they come. */
  tasks: { at: number; image: string }[];
}

/**
 * Runs a pool for ten minutes: images `bad` and `worse` are never pulled, `flaky` not on every other node; a start takes two seconds. As in a
 * cluster, what a pass did is seen by the next at once, and there are as many as have something to do.
 */
function run({ max, warm, projects, tasks }: Load): { made: Map<string, number>; done: number } {
  const pool = aPool('pool', { scale: { warm, max } });
  const troubles = new Troubles(() => {});
  const made = new Map<string, number>();
  let sandboxes: (SandboxView & { takenAt?: number; nth: number })[] = [];
  let ordinal = 0;
  let done = 0;
  const open = [...tasks];
  for (let now = NOW; now < NOW + LENGTH_MS; now += SECOND / 2) {
    for (const sandbox of sandboxes) {
      const isGood = sandbox.image === 'flaky' ? sandbox.nth % 2 === 0 : !['bad', 'worse'].includes(sandbox.image);
      if (sandbox.state === 'starting' && now >= sandbox.createdAt + startMs(sandbox.image)) {
        if (isGood) sandbox.state = 'idle';
        else sandbox.problem = problem;
      }
      if (sandbox.takenAt !== undefined && now >= sandbox.takenAt + TASK_MS) {
        sandbox.state = 'succeeded';
        done += 1;
      }
    }
    sandboxes = sandboxes.filter(({ state }) => state !== 'succeeded');
    // As the scheduler does: no more tasks hold a slot than the pool has sandboxes at most.
    const slots = Math.max(0, max - sandboxes.filter(({ state }) => state === 'spent').length);
    const come = open.filter(({ at }) => NOW + at * SECOND <= now).slice(0, slots);
    for (const task of come) {
      const sandbox = sandboxes.find(({ state, image }) => state === 'idle' && image === task.image);
      if (!sandbox) continue;
      Object.assign(sandbox, { state: 'spent', takenAt: now });
      open.splice(open.indexOf(task), 1);
      come.splice(come.indexOf(task), 1);
    }
    const demand = new Map<string, number>();
    for (const { image } of come) demand.set(image, (demand.get(image) ?? 0) + 1);
    let passes = 0;
    while (pass(now, demand)) if (++passes > PASSES) throw new Error('sandboxes are started and ended without end');
  }
  return { made, done };

  /** Whether there was something to do. */
  function pass(now: number, demand: ReadonlyMap<string, number>): boolean {
    const { actions } = planPool(
      {
        pool: { ...pool, status: { sequence: ordinal } },
        sandboxes,
        demand,
        warmImages: warm > 0 ? projects : [],
        inUse: 0,
        waiting: 0,
        queues: [],
        preparation: 'done',
        troubles: troubles.look(pool, sandboxes, now),
        projects: () => [],
      },
      now,
    );
    for (const action of actions) {
      if (action.do === 'startSandbox') {
        ordinal = action.ordinal;
        const nth = (made.get(action.image) ?? 0) + 1;
        made.set(action.image, nth);
        sandboxes.push({ ...aSandbox(ordinal, 'starting', { image: action.image, createdAt: now }), nth });
      } else if (action.do === 'drain') {
        sandboxes = sandboxes.filter(({ job }) => job !== action.job);
      }
    }
    return actions.some((action) => action.do === 'startSandbox' || action.do === 'drain');
  }
}

const image = fc.constantFrom(...IMAGES);
const load = fc.record({
  max: fc.integer({ min: 1, max: 6 }),
  warm: fc.nat(3),
  projects: fc.uniqueArray(image, { maxLength: 4 }),
  tasks: fc.array(fc.record({ at: fc.nat(120), image: fc.constantFrom('good', 'better') }), { maxLength: 30 }),
});

test('for any load: images that are never pulled are tried now and then, and the others do their work with few sandboxes', () => {
  fc.assert(
    fc.property(load, (given) => {
      const { made, done } = run(given);
      expect(done).toBe(given.tasks.length);
      // Each task may take the room of one that has shown nothing yet.
      for (const image of ['bad', 'worse'])
        expect(made.get(image) ?? 0).toBeLessThanOrEqual(TRIES + given.warm + given.tasks.length);
      const good = (made.get('good') ?? 0) + (made.get('better') ?? 0);
      // One for each task, one that made room for it at most, and what is kept warm, again each time it has idled for long.
      const warm = given.warm * given.projects.length;
      expect(good).toBeLessThanOrEqual(2 * given.tasks.length + 2 * warm);
    }),
    { seed: 1 },
  );
});

test('work for an image that is never pulled takes its slots, and no more', () => {
  fc.assert(
    fc.property(load, fc.array(fc.nat(120), { maxLength: 3 }), fc.constantFrom('bad', 'worse'), (given, times, bad) => {
      const tasks = [...given.tasks, ...times.map((at) => ({ at, image: bad }))];
      const { made, done } = run({ ...given, max: given.max + times.length, tasks });
      expect(done).toBe(given.tasks.length);
      expect(made.get(bad) ?? 0).toBeLessThanOrEqual(TRIES + given.warm + times.length + given.tasks.length);
    }),
    {
      seed: 1,
      // What is kept warm must not take the room that was made for work.
      examples: [
        [{ max: 1, warm: 2, projects: ['good'], tasks: [{ at: 0, image: 'good' }] }, [0], 'bad'],
        [{ max: 3, warm: 2, projects: ['worse', 'good'], tasks: [{ at: 9, image: 'good' }] }, [9], 'worse'],
      ],
    },
  );
});

test('work for an image that is not pulled on every node is done', () => {
  fc.assert(
    fc.property(load, fc.array(fc.nat(60), { maxLength: 10 }), (given, flaky) => {
      const tasks = [...given.tasks, ...flaky.map((at) => ({ at, image: 'flaky' }))];
      expect(run({ ...given, tasks }).done).toBe(tasks.length);
    }),
    { seed: 1 },
  );
});
