import { describe, expect, test } from 'vitest';
import { STUCK_START_MS } from '../agent-pool/troubles.ts';
import { aPool, aProject, aTask, at, NOW } from '../testing/objects.ts';
import { aTrouble, claim, observation, publishedWork, statusOf, summary } from '../testing/observations.ts';
import type { TaskObservation } from './observation.ts';
import { planTask } from './plan.ts';
import { RENEW_WORK_MS, REPEAT_WORK_MS } from './publish-work.ts';

const queued = ['publishWork 1 run team/pool', 'status~ Waiting/Queued'];
const owner = { uid: 'u', name: 'flow', gone: false, suspended: true };

const { project: _, ...withoutProject } = observation();
const missingRepository = {
  type: 'RepositoryReachable',
  status: 'False',
  reason: 'RepositoryNotFound',
  message: 'no such repository; correct it',
  observedGeneration: 1,
  lastTransitionTime: at(0),
} as const;

describe('what a task waits for', () => {
  test.each<[string, TaskObservation, string, RegExp]>([
    ['no Project', withoutProject, 'UnknownProject', /names Project "project", which namespace team does not have/],
    [
      'a disabled Project',
      observation({ project: aProject({ enabled: false }) }),
      'ProjectDisabled',
      /"project" has spec.enabled: false/,
    ],
    [
      'a repository that does not exist',
      observation({ project: { ...aProject(), status: { conditions: [missingRepository] } } }),
      'RepositoryNotFound',
      /^no such repository; correct it$/,
    ],
    ['spec.suspend', observation({ task: aTask({ suspend: true }) }), 'Suspended', /spec.suspend is true/],
    ['a suspended Workflow', observation({ owner }), 'Suspended', /Workflow "flow" is suspended/],
    ['no pool', observation({ pools: [] }), 'NoCapablePool', /the namespace has no AgentPool: create one/],
    [
      'no capable pool',
      observation({ task: aTask({ capabilities: ['gpu'] }) }),
      'NoCapablePool',
      /nearest AgentPool, "pool", lacks capability gpu/,
    ],
  ])('%s', (_, observed, reason, message) => {
    const plan = planTask(observed, NOW);
    expect(summary(plan)).toEqual(['release', `status~ Waiting/${reason}`]);
    expect(statusOf(plan).message).toMatch(message);
  });

  test('does not say it twice', () => {
    const observed = observation({ owner });
    const { status } = { status: statusOf(planTask(observed, NOW)) };
    expect(summary(planTask({ ...observed, task: aTask({}, status) }, NOW + 5))).toEqual(['release']);
  });

  test('says it again for another generation of the spec', () => {
    const observed = observation({ owner });
    const status = statusOf(planTask(observed, NOW));
    const task = aTask({}, status, { generation: 2 });
    expect(summary(planTask({ ...observed, task }, NOW))).toEqual(['release', 'status~ Waiting/Suspended']);
  });

  test('does not keep agents waiting', () => {
    const observed = observation({ owner, inbox: { claims: [claim(1, 'a'), claim(2, 'b')] } });
    expect(summary(planTask(observed, NOW))).toEqual(['release', 'drop 1', 'drop 2', 'status~ Waiting/Suspended']);
  });
});

describe('backing off', () => {
  const status = { phase: 'Waiting', reason: 'BackingOff', attempt: 2, nextAttemptAt: at(3000) } as const;
  test('until the next attempt', () => {
    const plan = planTask(observation({ task: aTask({}, status), inbox: { claims: [claim(1, 'a')] } }), NOW);
    expect(summary(plan)).toEqual(['release', 'drop 1']);
    expect(plan.requeueAfterMs).toBe(3000);
  });
  test('and then goes on', () => {
    const plan = planTask(observation({ task: aTask({}, status) }), NOW + 3000);
    expect(summary(plan)).toEqual(['publishWork 2 run team/pool', 'status~ Waiting/Queued']);
  });
});

describe('admission', () => {
  test('is asked for with all that decides it', () => {
    const pools = [aPool('general', { capabilities: ['node', 'go'] }), aPool('special', { capabilities: ['node'] })];
    const task = aTask({ priority: 3, capabilities: ['node'] });
    const plan = planTask(
      observation({ task, pools, place: { state: 'unknown' }, owner: { ...owner, suspended: false } }),
      NOW,
    );
    expect(plan.actions).toEqual([
      {
        do: 'request',
        candidate: {
          key: 'team/task',
          uid: 'uid-task',
          project: 'team/project',
          workflow: 'u',
          priority: 3,
          createdAt: NOW,
          pools: ['team/special', 'team/general'],
        },
      },
    ]);
  });

  test('says why it has to wait, and keeps its place', () => {
    const place = { state: 'waiting', reason: 'CapacityFull', message: 'all busy' } as const;
    const plan = planTask(observation({ place, inbox: { claims: [claim(1, 'a')] } }), NOW);
    expect(summary(plan)).toEqual(['request', 'drop 1', 'status~ Waiting/CapacityFull']);
    expect(statusOf(plan).message).toBe('all busy');
  });

  test('is asked for anew when the pool whose slot it holds may not run it any more', () => {
    const pools = [aPool('pool', { enabled: false }), aPool('other')];
    expect(summary(planTask(observation({ pools }), NOW))).toEqual(['release', 'request']);
  });
});

describe('publishing', () => {
  const gpu = { capabilities: ['gpu'] };
  test.each<[string, Partial<TaskObservation>, string[], number]>([
    ['new', {}, queued, STUCK_START_MS],
    ['published', { published: { work: publishedWork() } }, ['status~ Waiting/Queued'], STUCK_START_MS],
    [
      'published for the attempt before',
      { published: { work: publishedWork('run', { attempt: 0 }) } },
      queued,
      STUCK_START_MS,
    ],
    ['published to be verified', { published: { work: publishedWork('verify') } }, queued, STUCK_START_MS],
    [
      'published for another pool',
      { published: { work: publishedWork('run', { pool: 'team/old' }) } },
      queued,
      STUCK_START_MS,
    ],
    [
      'published for another image',
      {
        published: {
          work: publishedWork('run', { key: { engine: 'runner', image: 'toolchain:0', capabilities: [] } }),
        },
      },
      queued,
      STUCK_START_MS,
    ],
    [
      'published so long ago that its queue may have expired',
      { published: { work: publishedWork('run', { at: NOW - RENEW_WORK_MS }) } },
      queued,
      STUCK_START_MS,
    ],
    [
      'dropped by its agent just now',
      { published: { work: publishedWork('run', { dropped: true, at: NOW - 1000 }) } },
      ['status~ Waiting/Queued'],
      REPEAT_WORK_MS - 1000,
    ],
    [
      'dropped by its agent',
      { published: { work: publishedWork('run', { dropped: true, at: NOW - REPEAT_WORK_MS }) } },
      queued,
      STUCK_START_MS,
    ],
  ])('%s', (_, change, actions, requeueAfterMs) => {
    const plan = planTask(observation(change), NOW);
    expect(summary(plan)).toEqual(actions);
    expect(plan.requeueAfterMs).toBe(requeueAfterMs);
  });

  test('uses the queue of the pool whose slot it holds, not of the preferred one', () => {
    const pools = [
      aPool('big', { capabilities: ['gpu', 'node'], image: 'big:1' }),
      aPool('small', { ...gpu, image: 'small:1' }),
    ];
    const plan = planTask(
      observation({
        pools,
        task: aTask(gpu),
        project: aProject({ workspace: {} }),
        place: { state: 'admitted', pool: 'team/big' },
      }),
      NOW,
    );
    expect(plan.actions[0]).toEqual({
      do: 'publishWork',
      attempt: 1,
      kind: 'run',
      pool: 'team/big',
      key: { engine: 'runner', image: 'big:1', capabilities: ['gpu'] },
    });
  });

  test.each([
    ['command', { command: ['sh', ...Array.from({ length: 8 }, () => 'x'.repeat(8000))] }, /together have \d+ bytes/],
    [
      'params',
      { params: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${i}`, ''])) },
      /303 variables, at most 256/,
    ],
  ])('a spec too large for one message is refused: %s', (_, spec, message) => {
    const plan = planTask(observation({ task: aTask(spec), inbox: { claims: [claim(1, 'a')] } }), NOW);
    expect(summary(plan)).toEqual(['status Failed/InvalidSpec', 'drop 1', 'release']);
    const status = statusOf(plan);
    expect(status.message).toMatch(message);
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Accepted', status: 'False' }));
  });
});

describe('claims', () => {
  const granted = ['status Running/AgentRunning', 'grant 1 run'];
  test.each<[string, Partial<TaskObservation>, string[]]>([
    ['the first gets it', { inbox: { claims: [claim(1, 'a'), claim(2, 'b')] } }, [...granted, 'drop 2']],
    ['of another attempt: dropped', { inbox: { claims: [claim(1, 'a', { attempt: 2 })] } }, ['drop 1', ...queued]],
    ['to verify: dropped', { inbox: { claims: [claim(1, 'a', { kind: 'verify' })] } }, ['drop 1', ...queued]],
    [
      'of a pool that may not run it: dropped',
      { inbox: { claims: [claim(1, 'a', { agent: { pool: 'stranger', pod: 'a' } })] } },
      ['drop 1', ...queued],
    ],
    [
      'of a sandbox that is being drained: dropped',
      { inbox: { claims: [claim(1, 'a')] }, draining: new Set(['a']) },
      ['drop 1', ...queued],
    ],
    [
      'after one that is dropped: granted',
      { inbox: { claims: [claim(3, 'x'), claim(1, 'a')] }, draining: new Set(['x']) },
      [...granted, 'drop 3'],
    ],
    [
      'of another pool that may run it: takes a slot there',
      {
        pools: [aPool(), aPool('other')],
        inbox: { claims: [claim(1, 'a', { agent: { pool: 'other', pod: 'a' } })] },
      },
      [...granted, 'occupy team/other'],
    ],
    [
      'who asks twice is told the same twice',
      { inbox: { claims: [claim(1, 'a'), claim(2, 'b'), claim(3, 'a')] } },
      [...granted, 'grant 3 run', 'drop 2'],
    ],
    ['before the admission: waits', { place: { state: 'unknown' }, inbox: { claims: [claim(1, 'a')] } }, ['request']],
  ])('%s', (_, change, actions) => {
    expect(summary(planTask(observation(change), NOW))).toEqual(actions);
  });

  test('the status is written before the grant is sent, and names pod and epoch', () => {
    const plan = planTask(observation({ inbox: { claims: [claim(1, 'a')] } }), NOW);
    expect(statusOf(plan)).toMatchObject({
      phase: 'Running',
      attempt: 1,
      try: '1/1',
      agent: { pool: 'pool', pod: 'a', epoch: 7, at: at(0) },
      startedAt: at(0),
      queuedAt: at(0),
    });
  });
});

describe('an image that no sandbox can be started with', () => {
  const trouble = aTrouble({ since: NOW - STUCK_START_MS });
  const work = publishedWork('run', { at: NOW - STUCK_START_MS });

  test('is said at once, while it may still come', () => {
    const plan = planTask(observation({ published: { work }, trouble: aTrouble() }), NOW);
    expect(summary(plan)).toEqual(['status~ Waiting/ImagePull']);
    expect(statusOf(plan).message).toBe(`attempt 1 waits for an agent to claim it: ${trouble.problem.message}`);
  });

  test.each<[string, Partial<TaskObservation>]>([
    ['has been published a moment ago', { published: { work: publishedWork('run') } }],
    ['may yet be taken by one that is on its way', { trouble: { ...trouble, trying: true } }],
    ['met what ended the sandboxes later, which may be elsewhere', { trouble: { ...trouble, stuck: false } }],
  ])('costs nothing yet for work that %s', (_, change) => {
    const plan = planTask(observation({ published: { work }, trouble, ...change }), NOW);
    expect(summary(plan)).toEqual(['status~ Waiting/ImagePull']);
  });

  test('costs an attempt, which is the infrastructure’s, and gives the slot to others', () => {
    const plan = planTask(observation({ published: { work }, trouble }), NOW);
    expect(summary(plan)).toEqual(['status Waiting/BackingOff', 'endAttempt 1', 'release']);
    expect(statusOf(plan)).toMatchObject({
      attempt: 2,
      infrastructureFailures: 1,
      message: `attempt 1 failed: ImagePull: ${trouble.problem.message}`,
      history: [{ class: 'infrastructure', reason: 'ImagePull' }],
    });
  });

  test('in the end fails the task, with what to change', () => {
    let task = aTask();
    for (let attempt = 1; task.status?.phase !== 'Failed'; attempt++) {
      expect(attempt).toBeLessThanOrEqual(6);
      const { nextAttemptAt: _, ...status } = task.status ?? {};
      const published = { work: publishedWork('run', { attempt, at: NOW - STUCK_START_MS }) };
      task = aTask({}, statusOf(planTask(observation({ task: aTask({}, status), published, trouble }), NOW)));
    }
    expect(task.status).toMatchObject({ reason: 'ImagePull', message: expect.stringContaining('correct it') });
  });

  test('does not matter when an agent claims nevertheless', () => {
    const plan = planTask(observation({ published: { work }, trouble, inbox: { claims: [claim(1, 'a')] } }), NOW);
    expect(summary(plan)).toEqual(['status Running/AgentRunning', 'grant 1 run']);
  });

  test('is looked for now and then', () => {
    expect(planTask(observation({ published: { work } }), NOW).requeueAfterMs).toBe(30_000);
  });
});
