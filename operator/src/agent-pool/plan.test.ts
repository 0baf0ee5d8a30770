import { agentPoolStatus } from '@millwright/crds';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aPool, at, NOW } from '../testing/objects.ts';
import { aTrouble, aSandbox as sandbox } from '../testing/observations.ts';
import { type PoolObservation, type PoolPlan, planPool, type SandboxView } from './plan.ts';
import { IDLE_KEPT_MS } from './scale.ts';
import type { Trouble } from './troubles.ts';

const observation = ({ pool = aPool(), ...change }: Partial<PoolObservation> = {}): PoolObservation => ({
  pool,
  sandboxes: [],
  demand: new Map(),
  warmImages: [],
  inUse: 0,
  waiting: 0,
  queues: [],
  preparation: 'done',
  troubles: new Map(),
  projects: () => [],
  ...change,
});

const summary = ({ actions }: PoolPlan): string[] =>
  actions.flatMap((action) => {
    if (action.do === 'startSandbox') return `start ${action.ordinal} ${action.image}`;
    if (action.do === 'drain') return `drain ${action.job}`;
    return action.do === 'status' ? [] : action.do;
  });
const statusOf = ({ actions }: PoolPlan) => {
  const action = actions.find((candidate) => candidate.do === 'status');
  if (!action) throw new Error('no status');
  return action;
};

const demand = (count: number, image = 'i') => new Map([[image, count]]);
const scaled = (warm: number, max: number) => aPool('pool', { scale: { warm, max } });
const troubled = (image: string, change: Partial<Trouble> = {}) => new Map([[image, aTrouble(change)]]);
const LONG = NOW - IDLE_KEPT_MS;

describe('how many sandboxes there are', () => {
  test.each<[string, Partial<PoolObservation>, string[]]>([
    ['nothing to do: none', {}, []],
    ['one for each task that waits', { demand: demand(2) }, ['start 1 i', 'start 2 i']],
    [
      'those starting or idle count',
      { demand: demand(2), sandboxes: [sandbox(1, 'idle'), sandbox(2, 'starting')] },
      [],
    ],
    ['those with a task do not', { demand: demand(1), sandboxes: [sandbox(1, 'spent')] }, ['start 2 i']],
    [
      'those being drained do not',
      { demand: demand(1), sandboxes: [sandbox(1, 'idle', { draining: true, deleted: true })] },
      ['start 2 i'],
    ],
    [
      'nor those of another image',
      { demand: demand(1), sandboxes: [sandbox(1, 'idle', { image: 'j' })] },
      ['start 2 i'],
    ],
    [
      'never more than max',
      { pool: scaled(0, 3), demand: demand(9), sandboxes: [sandbox(1, 'spent')] },
      ['start 2 i', 'start 3 i'],
    ],
    [
      'those that ended make room',
      { pool: scaled(0, 1), demand: demand(1), sandboxes: [sandbox(1, 'succeeded')] },
      ['start 2 i'],
    ],
    ['warm ones without any task', { pool: scaled(2, 5), warmImages: ['i'] }, ['start 1 i', 'start 2 i']],
    ['warm ones of each image', { pool: scaled(1, 5), warmImages: ['i', 'j'] }, ['start 1 i', 'start 2 j']],
    [
      'warm ones serve the tasks',
      { pool: scaled(2, 5), warmImages: ['i'], demand: demand(1) },
      ['start 1 i', 'start 2 i'],
    ],
    [
      'work that waits goes before what is kept warm',
      { pool: scaled(1, 1), warmImages: ['j'], demand: demand(1) },
      ['start 1 i'],
    ],
    [
      'those in use are kept warm where not all can be',
      { pool: scaled(1, 1), warmImages: ['j', 'i'], sandboxes: [sandbox(1, 'succeeded')] },
      ['start 2 i'],
    ],
    [
      'more tasks than warm ones',
      { pool: scaled(1, 5), warmImages: ['i'], demand: demand(2) },
      ['start 1 i', 'start 2 i'],
    ],
    [
      'numbers are never used twice',
      { pool: { ...aPool(), status: { sequence: 41 } }, demand: demand(1) },
      ['start 42 i'],
    ],
    [
      'nor those of Jobs that the status does not know yet',
      { demand: demand(1), sandboxes: [sandbox(7, 'spent')] },
      ['start 8 i'],
    ],
    ['none for a disabled pool', { pool: aPool('pool', { enabled: false }), demand: demand(1), warmImages: ['i'] }, []],
    ['none for agents outside', { pool: aPool('pool', { external: true }), demand: demand(1) }, []],
    [
      'none for a pool that is being deleted',
      { pool: aPool('pool', {}, { deletionTimestamp: at(0) }), demand: demand(1), preparation: 'missing' },
      [],
    ],
    ['what they need comes first', { preparation: 'missing', demand: demand(1) }, ['prepare', 'start 1 i']],
    ['what they have had is looked at last', { preparation: 'due', demand: demand(1) }, ['start 1 i', 'prepare']],
    ['also for agents outside', { pool: aPool('pool', { external: true }), preparation: 'missing' }, ['prepare']],
  ])('%s', (_, change, actions) => {
    expect(summary(planPool(observation(change), NOW))).toEqual(actions);
  });
});

test('one without a pod is looked at again when that begins to be strange', () => {
  const { pod: _, ...bare } = sandbox(1, 'starting');
  expect(planPool(observation({ demand: demand(1), sandboxes: [bare] }), NOW + 1000).requeueAfterMs).toBe(29_000);
});

describe('those nobody needs', () => {
  test.each<[string, Partial<PoolObservation>, string[], number?]>([
    ['are kept for a while', { sandboxes: [sandbox(1, 'idle', { createdAt: LONG + 5000 })] }, [], 5000],
    ['and then go', { sandboxes: [sandbox(1, 'idle', { createdAt: LONG })] }, ['drain pool-1']],
    [
      'the oldest of them',
      { demand: demand(1), sandboxes: [1, 2].map((n) => sandbox(n, 'idle', { createdAt: LONG })) },
      ['drain pool-1'],
    ],
    ['not those with a task', { sandboxes: [sandbox(1, 'spent', { createdAt: LONG })] }, []],
    [
      'not those going already',
      { sandboxes: [sandbox(1, 'idle', { createdAt: LONG, draining: true, deleted: true })] },
      [],
    ],
    [
      'once more when their deletion has failed, as needed as they may be',
      { demand: demand(2), sandboxes: [sandbox(1, 'idle', { draining: true }), sandbox(2, 'idle')] },
      ['start 3 i', 'drain pool-1'],
    ],
    ['not one with a task that it was given before', { sandboxes: [sandbox(1, 'spent', { draining: true })] }, []],
    [
      'not the warm ones',
      { pool: scaled(1, 5), warmImages: ['i'], sandboxes: [sandbox(1, 'idle', { createdAt: LONG })] },
      [],
    ],
    [
      'go at once when their image keeps another from starting',
      {
        pool: scaled(0, 2),
        demand: demand(1),
        sandboxes: [1, 2].map((n) => sandbox(n, 'idle', { image: 'j' })),
      },
      ['drain pool-1'],
      IDLE_KEPT_MS,
    ],
    [
      'of them no more than needed, with those that go already',
      {
        pool: scaled(0, 3),
        demand: demand(2),
        sandboxes: [
          sandbox(1, 'idle', { image: 'j', draining: true, deleted: true }),
          sandbox(2, 'idle', { image: 'j' }),
          sandbox(3, 'idle', { image: 'j' }),
        ],
      },
      ['drain pool-2'],
      IDLE_KEPT_MS,
    ],
    [
      'are the warm ones, too, where work waits: those first that do not start',
      {
        pool: scaled(1, 2),
        warmImages: ['j', 'k'],
        demand: demand(1),
        sandboxes: [
          sandbox(1, 'idle', { image: 'j' }),
          sandbox(2, 'starting', { image: 'k', problem: { reason: 'ImagePull', message: '' } }),
        ],
      },
      ['drain pool-2'],
    ],
    [
      'but not the warm ones for others that are to be warm',
      { pool: scaled(1, 1), warmImages: ['j', 'k'], sandboxes: [sandbox(1, 'idle', { image: 'j' })] },
      [],
    ],
    [
      'nor do idle ones before their time',
      {
        pool: scaled(1, 1),
        warmImages: ['k'],
        sandboxes: [sandbox(1, 'idle', { image: 'j' })],
      },
      [],
      IDLE_KEPT_MS,
    ],
    [
      'of a disabled pool go after the same while',
      { pool: aPool('pool', { enabled: false }), sandboxes: [sandbox(1, 'idle', { createdAt: LONG })] },
      ['drain pool-1'],
    ],
  ])('%s', (_, change, actions, requeueAfterMs) => {
    const plan = planPool(observation(change), NOW);
    expect(summary(plan)).toEqual(actions);
    expect(plan.requeueAfterMs).toBe(requeueAfterMs);
  });
});

describe('those made from older settings', () => {
  const old = (n: number, change: Partial<SandboxView> = {}) => sandbox(n, 'idle', { outdated: true, ...change });
  const many = (count: number, of: (n: number) => SandboxView = old) =>
    Array.from({ length: count }, (_, n) => of(n + 1));
  const warm = (sandboxes: SandboxView[]) => ({ pool: scaled(sandboxes.length, 20), warmImages: ['i'], sandboxes });
  const problem = { reason: 'ImagePull', message: 'cannot be pulled' };
  test.each<[string, Partial<PoolObservation>, string[]]>([
    ['are replaced while they idle', warm([old(1)]), ['drain pool-1']],
    ['one of a few at a time', warm(many(4)), ['drain pool-1']],
    ['a quarter of many', warm(many(8)), ['drain pool-1', 'drain pool-2']],
    ['the next when the one before is replaced', warm([sandbox(1, 'starting'), old(2)]), []],
    ['and not while it goes', warm([old(1, { draining: true, deleted: true }), old(2)]), ['start 3 i']],
    ['other images do not matter', warm([sandbox(1, 'starting', { image: 'j' }), old(2)]), ['start 3 i']],
    ['not while they work', warm([sandbox(1, 'spent', { outdated: true }), sandbox(2, 'idle')]), ['start 3 i']],
    ['not while they start', warm([sandbox(1, 'starting', { outdated: true })]), []],
    [
      'at once when they cannot start',
      warm([sandbox(1, 'starting', { outdated: true, problem })]),
      ['start 2 i', 'drain pool-1'],
    ],
    ['not while new ones fail', { ...warm([old(1), sandbox(2, 'failed')]), troubles: troubled('i') }, []],
  ])('%s', (_, change, actions) => {
    expect(summary(planPool(observation(change), NOW))).toEqual(actions);
  });

  test('go one after the other, and there is never less than most of what is to be warm', () => {
    let sandboxes = many(8);
    for (let pass = 0; sandboxes.some(({ outdated }) => outdated); pass++) {
      expect(pass).toBeLessThan(20);
      const { actions } = planPool(observation({ ...warm(sandboxes), pool: scaled(8, 8) }), NOW);
      const gone = actions.flatMap((action) => (action.do === 'drain' ? action.job : []));
      sandboxes = [
        ...sandboxes.filter(({ job }) => !gone.includes(job)),
        ...actions.flatMap((action) => (action.do === 'startSandbox' ? sandbox(action.ordinal, 'idle') : [])),
      ];
      expect(sandboxes.length).toBeGreaterThanOrEqual(6);
    }
  });
});

describe('those that have idled for half of their time', () => {
  const day = 86_400_000;
  const aged = (n: number, ms: number, state: SandboxView['state'] = 'idle') =>
    sandbox(n, state, { createdAt: NOW - ms });
  const warm = (sandboxes: SandboxView[], deadlineSeconds?: number) => ({
    pool: aPool('pool', {
      scale: { warm: sandboxes.length, max: 20 },
      ...(deadlineSeconds === undefined ? {} : { sandbox: { deadlineSeconds } }),
    }),
    warmImages: ['i'],
    sandboxes,
  });
  test.each<[string, Partial<PoolObservation>, string[]]>([
    ['are kept until then', warm([aged(1, day / 2 - 1)]), []],
    ['are replaced', warm([aged(1, day / 2)]), ['drain pool-1']],
    ['as the pool says', warm([aged(1, 600_000)], 1200), ['drain pool-1']],
    ['a few at a time', warm([aged(1, day / 2), aged(2, day / 2), aged(3, 0)]), ['drain pool-1']],
    ['not while they work', warm([aged(1, day / 2, 'spent'), aged(2, 0)]), ['start 3 i']],
    ['not while they start', warm([aged(1, day / 2, 'starting')]), []],
  ])('%s', (_, change, actions) => {
    expect(summary(planPool(observation(change), NOW))).toEqual(actions);
  });
});

describe('an image that does not start', () => {
  const { problem } = aTrouble();
  const stuck = (ordinal: number, image = 'i') => sandbox(ordinal, 'starting', { problem, image });
  const idle = (ordinal: number, image = 'i') => sandbox(ordinal, 'idle', { image, createdAt: LONG });
  const due = troubled('i', { retryAt: NOW });
  const paused = troubled('i');
  const warm = (max: number) => ({ pool: scaled(3, max), demand: new Map(), warmImages: ['i'] });
  test.each<[string, Partial<PoolObservation>, string[], number?]>([
    ['is not tried before its time', { troubles: paused }, [], 5000],
    ['is tried with one sandbox', { troubles: due }, ['start 1 i']],
    [
      'and no other beside it',
      { sandboxes: [sandbox(1, 'starting')], troubles: troubled('i', { retryAt: NOW, trying: true }) },
      [],
    ],
    ['others are tried side by side', { troubles: troubled('j') }, ['start 1 i', 'start 2 i', 'start 3 i']],
    ['one that is stuck is kept', { sandboxes: [stuck(1), stuck(2)], troubles: paused }, ['drain pool-1'], 5000],
    ['until the next one tries', { sandboxes: [stuck(1)], troubles: due }, ['start 2 i', 'drain pool-1']],
    ['which may need its place', { pool: scaled(0, 1), sandboxes: [stuck(1)], troubles: due }, ['drain pool-1']],
    [
      'takes no place of others before its time',
      { pool: scaled(0, 1), sandboxes: [sandbox(1, 'idle', { image: 'j' })], troubles: paused },
      [],
      5000,
    ],
    [
      'one that is stuck is no capacity',
      { sandboxes: [stuck(1)] },
      ['start 2 i', 'start 3 i', 'start 4 i', 'drain pool-1'],
    ],
    [
      'those that idle are, and stay',
      { ...warm(5), sandboxes: [idle(1), idle(2), stuck(3)], troubles: paused },
      [],
      5000,
    ],
    ['and become more', { ...warm(5), sandboxes: [idle(1), idle(2)], troubles: due }, ['start 3 i']],
    [
      'with enough of them, none has to try',
      { ...warm(5), sandboxes: [idle(1), idle(2), idle(3), stuck(4)], troubles: due },
      ['drain pool-4'],
    ],
    ['goes when work is gone', { demand: new Map(), sandboxes: [stuck(1)], troubles: paused }, ['drain pool-1']],
    [
      'gives way to work',
      { ...warm(1), demand: demand(1, 'j'), sandboxes: [stuck(1)], troubles: paused },
      ['drain pool-1'],
      5000,
    ],
    [
      'keeps its place for its own',
      {
        pool: scaled(0, 2),
        demand: new Map([
          ['i', 1],
          ['j', 1],
        ]),
        sandboxes: [stuck(1), sandbox(2, 'idle', { image: 'k' })],
        troubles: paused,
      },
      ['drain pool-2'],
      5000,
    ],
  ])('%s', (_, change, actions, requeueAfterMs) => {
    const plan = planPool(observation({ demand: demand(3), ...change }), NOW);
    expect(summary(plan)).toEqual(actions);
    expect(plan.requeueAfterMs).toBe(requeueAfterMs);
  });
});

describe('the status', () => {
  test('counts, and is worth no write of its own', () => {
    const sandboxes = [
      sandbox(1, 'idle'),
      sandbox(2, 'spent'),
      sandbox(3, 'starting'),
      sandbox(4, 'idle', { draining: true }),
      sandbox(5, 'succeeded'),
    ];
    const { status, lazy } = statusOf(
      planPool(observation({ sandboxes, demand: demand(3), waiting: 4, queues: ['q'] }), NOW),
    );
    expect(lazy).toBe(true);
    expect(status).toMatchObject({ idle: 1, busy: 1, starting: 2, waiting: 4, sequence: 6, queues: ['q'] });
    expect(agentPoolStatus.parse(status)).toEqual(status);
  });

  test('agents outside are busy with what was granted', () => {
    const observed = observation({ pool: aPool('pool', { external: true }), inUse: 3 });
    expect(statusOf(planPool(observed, NOW)).status.busy).toBe(3);
  });

  const full = { reason: 'Unschedulable', message: 'no room' };
  test.each<[string, Partial<PoolObservation>, string, string]>([
    ['ready', {}, 'True', 'Ready'],
    ['disabled', { pool: aPool('pool', { enabled: false }) }, 'False', 'Disabled'],
    ['an image that does not start', { warmImages: ['i'], troubles: troubled('i') }, 'False', 'ImagePull'],
    [
      'while some of it idle',
      { warmImages: ['i'], sandboxes: [sandbox(1, 'idle')], troubles: troubled('i') },
      'True',
      'ImagePull',
    ],
    ['one of several', { warmImages: ['i', 'j'], troubles: troubled('i') }, 'True', 'ImagePull'],
    ['one that nobody uses any more', { warmImages: ['j'], troubles: troubled('i') }, 'True', 'Ready'],
    ['no node with room', { sandboxes: [sandbox(1, 'starting', { problem: full })] }, 'False', 'Unschedulable'],
  ])('%s', (_, change, value, reason) => {
    const { status, note } = statusOf(planPool(observation(change), NOW));
    expect(status.conditions).toMatchObject([{ type: 'Ready', status: value, reason }]);
    expect(note?.reason).toBe(reason === 'Ready' ? undefined : reason);
    const again = planPool(observation({ ...change, pool: { ...(change.pool ?? aPool()), status } }), NOW);
    expect(statusOf(again)).not.toHaveProperty('note');
  });
});

test('the status names the image that does not start, and whose it is', () => {
  const troubles = new Map([...troubled('i'), ...troubled('j')]);
  const projects = (image: string) => (image === 'i' ? ['a', 'b'] : []);
  const { status } = statusOf(planPool(observation({ warmImages: ['i', 'j', 'k'], troubles, projects }), NOW));
  const why = 'container workspace: ErrImagePull: not found; correct it';
  expect(status.message).toBe(`image i (Project a, Project b) and 1 more: ${why}`);
});

test('for any load: never more than max, never one ended that has a task, and what is needed is there or on its way', () => {
  const view = fc.record({
    state: fc.constantFrom('starting' as const, 'idle' as const, 'spent' as const, 'succeeded' as const),
    image: fc.constantFrom('i', 'j'),
    draining: fc.boolean(),
    deleted: fc.boolean(),
    age: fc.constantFrom(0, IDLE_KEPT_MS),
  });
  fc.assert(
    fc.property(
      fc.array(view, { maxLength: 8 }),
      fc.record({ i: fc.nat(6), j: fc.nat(6) }),
      fc.integer({ min: 1, max: 8 }),
      (views, wanted, max) => {
        const sandboxes = views.map(({ age, ...rest }, n) => ({
          ...sandbox(n + 1, rest.state),
          ...rest,
          createdAt: NOW - age,
        }));
        const plan = planPool(
          observation({ pool: scaled(0, max), sandboxes, demand: new Map(Object.entries(wanted)) }),
          NOW,
        );
        const starts = plan.actions.filter((action) => action.do === 'startSandbox');
        const drained = plan.actions.flatMap((action) => (action.do === 'drain' ? action.job : []));
        const live = sandboxes.filter((s) => s.state !== 'succeeded');
        expect(starts.length + live.length).toBeLessThanOrEqual(Math.max(max, live.length));
        for (const job of drained) expect(sandboxes.find((s) => s.job === job)?.state).not.toBe('spent');
        for (const image of ['i', 'j'] as const) {
          const free = sandboxes.filter(
            (s) =>
              s.image === image &&
              !s.draining &&
              !drained.includes(s.job) &&
              (s.state === 'idle' || s.state === 'starting'),
          ).length;
          const started = starts.filter((start) => start.image === image).length;
          const isFull = starts.length + live.length >= max;
          expect(free + started >= wanted[image] || isFull).toBe(true);
          if (started > 0) expect(free + started).toBe(Math.min(free + started, wanted[image]));
        }
      },
    ),
  );
});
