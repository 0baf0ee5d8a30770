import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { management, poolUser, redriveDeadLetters, targets, topology, workQueueName } from '@millwright/broker';
import { claimMessage, type GrantMessage, resultMessage, type Workflow } from '@millwright/crds';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resources } from './cluster.ts';
import { isInvalid } from './runtime/index.ts';
import { closeConnections, findConnections } from './testing/connections.ts';
import { commitOf, type Lab, openLab, works } from './testing/lab.ts';
import { aProject } from './testing/objects.ts';
import { until } from './testing/until.ts';

const TEST_MS = 180_000;
let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
  await lab.createProject('project');
  await lab.createPool('pool');
  await lab.startOperator();
  await lab.agents('pool');
}, TEST_MS);
afterAll(() => lab?.close(), TEST_MS);

const many = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, i) => ({ name: `t${i}`, ...more }));
const accepted = ({ status }: Workflow) => status?.conditions?.find(({ type }) => type === 'Accepted');
const published = (workflow: string) =>
  lab.effects.filter(({ branch }) => branch.startsWith(`ai/generated/${workflow}/`)).map(({ id }) => id);

test(
  'the user of a pool that was deleted while no operator ran goes, and those of others stay',
  async () => {
    const admin = management(lab.managementUrl, lab.vhost);
    const nothing = { configure: '^$', write: '^$', read: '^$' };
    const gone = poolUser(lab.namespace, 'gone');
    const stranger = `stranger-${lab.vhost}`;
    for (const name of [gone, stranger]) await admin.ensureUser({ name, password: randomUUID(), permissions: nothing });
    try {
      await lab.operator().kill();
      await lab.startOperator();
      await until('the sweep', async () => !(await admin.listUsers()).includes(gone) || undefined);
      expect(await admin.listUsers()).toEqual(expect.arrayContaining([stranger, poolUser(lab.namespace, 'pool')]));
    } finally {
      for (const name of [gone, stranger]) await admin.deleteUser(name);
    }
  },
  TEST_MS,
);

test('a Project says whether its repository can be read, and again when its spec has changed', async () => {
  const name = 'probed';
  await lab.createProject(name);
  const seen = (generation: number) =>
    until(`the verdict on generation ${generation}`, () =>
      lab.cluster.projects.store
        .get(`${lab.namespace}/${name}`)
        ?.status?.conditions?.find(
          ({ type, observedGeneration }) => type === 'RepositoryReachable' && observedGeneration === generation,
        ),
    );
  expect(await seen(1)).toMatchObject({ status: 'True', reason: 'Reachable' });
  const repository = { url: 'https://example.org/moved.git' };
  await lab.kube.patch(resources.projects, { namespace: lab.namespace, name }, { spec: { repository } });
  expect(await seen(2)).toMatchObject({ status: 'True' });
  expect(lab.probed.filter((project) => project === name)).toHaveLength(2);
});

describe('Workflows', { timeout: TEST_MS }, () => {
  test('one task', async () => {
    await lab.apply('single', { tasks: [{ name: 'only' }] });
    const { status } = await lab.reaches('single', 'Succeeded');
    const task = await lab.taskReaches('single', 'only', 'Succeeded');
    const commit = commitOf(task.metadata.uid);
    expect(task.status).toMatchObject({
      reason: 'Completed',
      attempt: 1,
      try: '1/1',
      branch: 'ai/generated/single/only',
      result: { commit, ref: `refs/attempts/${task.metadata.uid}/1` },
    });
    expect(status).toMatchObject({ progress: '1/1', headSHA: commit, branches: ['ai/generated/single/only'] });
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Complete', status: 'True' }));
  });

  test('a forge that is ill is waited for: attempt and result are kept, and the status says so', async () => {
    let runs = 0;
    lab.on('ill', 'only', (grant, signal) => {
      if (grant.kind === 'run') runs++;
      return works(grant, signal);
    });
    lab.forgeSays('ill', { failure: 'temporary', message: 'the forge answered 503' });
    await lab.apply('ill', { tasks: [{ name: 'only', acceptance: ['true'] }] });
    const { status, metadata } = await until('the wait for the forge', () => {
      const task = lab.task('ill', 'only');
      return task?.status?.publishing ? task : undefined;
    });
    const commit = commitOf(metadata.uid);
    expect(status).toMatchObject({
      phase: 'Verifying',
      reason: 'Publishing',
      attempt: 1,
      tests: '1/1',
      result: { commit },
      publishing: { failures: 1 },
    });
    expect(status?.message).toMatch(/the forge answered 503; tried again at 20/);
    await lab.reaches('ill', 'Succeeded');
    const ended = lab.task('ill', 'only')?.status;
    expect(ended).toMatchObject({ attempt: 1, tests: '1/1', branch: 'ai/generated/ill/only', result: { commit } });
    expect(ended).not.toHaveProperty('publishing');
    expect(runs).toBe(1);
    expect(published('ill')).toHaveLength(2);
  });

  test('a chain: each starts from the commit of the one before', async () => {
    const grants = new Map<string, GrantMessage>();
    for (const name of ['a', 'b', 'c'])
      lab.on('chain', name, (grant, signal) => {
        grants.set(name, grant);
        return name === 'b' ? {} : works(grant, signal);
      });
    await lab.apply('chain', {
      tasks: [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }, { name: 'c', dependsOn: ['b'] }],
    });
    await lab.reaches('chain', 'Succeeded');
    const a = lab.task('chain', 'a');
    const commit = commitOf(a?.metadata.uid ?? '');
    const fromA = [{ name: 'a', commit, ref: `refs/attempts/${a?.metadata.uid}/1` }];
    expect(grants.get('a')?.git.dependencies).toEqual([]);
    expect(grants.get('b')?.git.dependencies).toEqual(fromA);
    // b changed nothing, so c starts from what b started from.
    expect(grants.get('c')?.git.dependencies).toEqual(fromA);
    expect(lab.task('chain', 'b')?.status).toMatchObject({ reason: 'NoChangesNeeded' });
  });

  test('a diamond: the last starts when both in the middle have ended', async () => {
    const order: string[] = [];
    for (const name of ['top', 'left', 'right', 'bottom'])
      lab.on('diamond', name, (grant, signal) => {
        order.push(name);
        return works(grant, signal);
      });
    await lab.apply('diamond', {
      tasks: [
        { name: 'bottom', dependsOn: ['left', 'right'] },
        { name: 'left', dependsOn: ['top'] },
        { name: 'right', dependsOn: ['top'] },
        { name: 'top' },
      ],
    });
    await lab.reaches('diamond', 'Succeeded');
    expect([order[0], order[3]]).toEqual(['top', 'bottom']);
    expect(order.slice(1, 3).sort()).toEqual(['left', 'right']);
    const bottom = await lab.taskReaches('diamond', 'bottom', 'Succeeded');
    expect(bottom.spec.dependencies?.map(({ name }) => name).sort()).toEqual(['left', 'right']);
  });

  test('a fan-out of 50 with few writes, each branch published once', async () => {
    const before = lab.operator().writes();
    const started = performance.now();
    await lab.apply('fan', { tasks: many(50) });
    await lab.reaches('fan', 'Succeeded');
    const writes = lab.operator().writes() - before;
    const seconds = (performance.now() - started) / 1000;
    expect(published('fan')).toHaveLength(50);
    expect(new Set(published('fan')).size).toBe(50);
    // Three for each task: created, running, ended. What is true only for the moment has a budget, and so have Events; five are the Workflow's.
    const lazy = 20 + 10 * seconds;
    const events = 40 + 2 * seconds;
    expect(writes).toBeLessThanOrEqual(3 * 50 + 5 + lazy + events);
  });

  test('a failed task skips what needs it, and runs what waits for a failure', async () => {
    lab.on('broken', 'lint', () => ({
      outcome: 'failed',
      class: 'agent',
      reason: 'CommandFailed',
      message: 'exit code 2',
    }));
    await lab.apply('broken', {
      tasks: [
        { name: 'lint' },
        { name: 'build', dependsOn: ['lint'] },
        { name: 'report', dependsOn: ['lint'], when: "tasks.lint.phase == 'Failed'" },
      ],
    });
    const { status } = await lab.reaches('broken', 'Failed', 'TaskFailed');
    expect(status?.counts).toMatchObject({ total: 3, failed: 1, skipped: 1, succeeded: 1 });
    expect(status?.message).toBe('1 of 3 tasks failed, 1 skipped; "lint": CommandFailed: exit code 2');
    expect(status?.skipped).toEqual([{ name: 'build', reason: 'DependenciesNotMet', message: '"lint": Failed' }]);
    expect(lab.task('broken', 'build')).toBeUndefined();
  });
});

describe('verification', { timeout: TEST_MS }, () => {
  test('is done by another agent, on the commit, before anything is published', async () => {
    await lab.apply('checked', { tasks: [{ name: 'one', acceptance: ['npm test', 'npm run lint'] }] });
    await lab.reaches('checked', 'Succeeded');
    const { status } = await lab.taskReaches('checked', 'one', 'Succeeded');
    expect(status).toMatchObject({ tests: '2/2', branch: 'ai/generated/checked/one' });
    expect(status?.verifier?.pod).toBeDefined();
    expect(status?.verifier?.pod).not.toBe(status?.agent?.pod);
  });

  test('that fails publishes nothing', async () => {
    lab.on('unsound', 'one', (grant, signal) =>
      grant.kind === 'run'
        ? works(grant, signal)
        : { outcome: 'failed', class: 'verification', tests: { passed: 1, total: 2 } },
    );
    await lab.apply('unsound', { tasks: [{ name: 'one', acceptance: ['true', 'false'] }] });
    await lab.reaches('unsound', 'Failed');
    expect((await lab.taskReaches('unsound', 'one', 'Failed', 'TestsFailed')).status).toMatchObject({ tests: '1/2' });
    expect(published('unsound')).toEqual([]);
  });
});

describe('attempts', { timeout: TEST_MS }, () => {
  test('are repeated after a delay, and each is fenced off from the others', async () => {
    const tokens: string[] = [];
    lab.on('again', 'one', (grant, signal) => {
      tokens.push(grant.token);
      return grant.attempt < 3 ? { outcome: 'failed', class: 'agent', reason: 'InvalidOutput' } : works(grant, signal);
    });
    const backoff = { baseSeconds: 1, maxSeconds: 1 };
    await lab.apply('again', { tasks: [{ name: 'one', retry: { maxAttempts: 3, backoff } }] });
    await lab.reaches('again', 'Succeeded');
    const { status } = await lab.taskReaches('again', 'one', 'Succeeded');
    expect(status).toMatchObject({ attempt: 3, try: '3/3', infrastructureFailures: 0 });
    expect(status?.history?.map(({ attempt, outcome, reason }) => [attempt, outcome, reason])).toEqual([
      [1, 'Failed', 'InvalidOutput'],
      [2, 'Failed', 'InvalidOutput'],
      [3, 'Succeeded', 'Completed'],
    ]);
    expect(new Set(tokens).size).toBe(3);
    expect(published('again')).toHaveLength(1);
  });

  test('are exhausted', async () => {
    lab.on('hopeless', 'one', () => ({ outcome: 'failed', class: 'agent', reason: 'CommandFailed', message: 'no' }));
    const backoff = { baseSeconds: 0, maxSeconds: 0 };
    await lab.apply('hopeless', { tasks: [{ name: 'one', retry: { maxAttempts: 2, backoff } }] });
    await lab.reaches('hopeless', 'Failed');
    const { status } = await lab.taskReaches('hopeless', 'one', 'Failed', 'AttemptsExhausted');
    expect(status?.message).toBe('all 2 attempts failed; the last: CommandFailed: no');
  });
});

/** Works until it is told to stop. */
const untilCancelled = async (_: GrantMessage, signal: AbortSignal) => {
  if (!signal.aborted) await once(signal, 'abort');
  return { outcome: 'cancelled' as const, reason: 'CancelledByUser' };
};

describe('stopping', { timeout: TEST_MS }, () => {
  test('running work: the agent is told, what waits is never started', async () => {
    lab.on('stopped', 'a', untilCancelled);
    await lab.apply('stopped', { tasks: [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }] });
    await lab.taskReaches('stopped', 'a', 'Running');
    await lab.change('stopped', { cancel: true });
    const { status } = await lab.reaches('stopped', 'Cancelled', 'CancelledByUser');
    expect((await lab.taskReaches('stopped', 'a', 'Cancelled')).status?.finishedAt).toBeDefined();
    expect(lab.task('stopped', 'b')).toBeUndefined();
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Complete', status: 'False' }));
  });

  test('waiting work', async () => {
    await lab.apply('never', { tasks: [{ name: 'a', capabilities: ['nobody-has-it'] }] });
    await lab.taskReaches('never', 'a', 'Waiting', 'NoCapablePool');
    await lab.change('never', { cancel: true });
    await lab.reaches('never', 'Cancelled');
    await lab.taskReaches('never', 'a', 'Cancelled');
  });

  test('for a while: nothing new starts until it is resumed', async () => {
    const release = Promise.withResolvers<void>();
    lab.on('paused', 'a', async (grant, signal) => {
      await release.promise;
      return works(grant, signal);
    });
    await lab.apply('paused', { tasks: [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }] });
    await lab.taskReaches('paused', 'a', 'Running');
    const { metadata } = (await lab.change('paused', { suspend: true })) as Workflow;
    await until(
      'the operator to notice',
      () => lab.workflow('paused')?.status?.observedGeneration === metadata.generation || undefined,
    );
    release.resolve();
    await lab.taskReaches('paused', 'a', 'Succeeded');
    await lab.reaches('paused', 'Waiting', 'Suspended');
    expect(lab.task('paused', 'b')).toBeUndefined();
    await lab.change('paused', { suspend: false });
    await lab.reaches('paused', 'Succeeded');
  });

  test('when its time is over', async () => {
    lab.on('slow', 'a', untilCancelled);
    await lab.apply('slow', { timeoutSeconds: 2, tasks: [{ name: 'a' }] });
    const { status } = await lab.reaches('slow', 'Failed', 'DeadlineExceeded');
    expect(status?.message).toContain('spec.timeoutSeconds (2) passed');
    await lab.taskReaches('slow', 'a', 'Cancelled', 'DeadlineExceeded');
  });
});

describe('what is not there yet', { timeout: TEST_MS }, () => {
  test('a pool: says who is nearest and what it lacks, and goes on when there is one', async () => {
    await lab.apply('gpu', { tasks: [{ name: 'train', capabilities: ['gpu', 'node'] }] });
    const { status } = await lab.taskReaches('gpu', 'train', 'Waiting', 'NoCapablePool');
    expect(status?.message).toContain('the nearest AgentPool, "pool", lacks capability gpu');
    await lab.reaches('gpu', 'Waiting', 'NoCapablePool');
    await lab.createPool('gpus', { capabilities: ['gpu', 'node'] });
    await lab.agents('gpus');
    await lab.reaches('gpu', 'Succeeded');
    expect(lab.task('gpu', 'train')?.status?.agent?.pool).toBe('gpus');
  });

  test('an engine: says that none offers it', async () => {
    await lab.apply('prompted', { tasks: [{ name: 'ask', command: undefined, prompt: 'Fix it' }] });
    const { status } = await lab.taskReaches('prompted', 'ask', 'Waiting', 'NoCapablePool');
    expect(status?.message).toContain('no AgentPool offers engine llm');
    await lab.change('prompted', { cancel: true });
  });

  test('a Project: says so, and goes on when there is one', async () => {
    await lab.apply('early', { projectRef: { name: 'later' }, tasks: [{ name: 'a' }] });
    const waiting = await lab.reaches('early', 'Waiting', 'UnknownProject');
    expect(accepted(waiting)).toMatchObject({ status: 'False', reason: 'UnknownProject' });
    expect(waiting.status?.message).toContain('names Project "later"');
    await lab.createProject('later');
    expect(accepted(await lab.reaches('early', 'Succeeded'))).toMatchObject({ status: 'True' });
  });
});

describe('a spec that can never run', { timeout: TEST_MS }, () => {
  test.each<[string, Parameters<Lab['apply']>[1], string, string]>([
    [
      'cycle',
      {
        tasks: [
          { name: 'a', dependsOn: ['b'] },
          { name: 'b', dependsOn: ['a'] },
        ],
      },
      'DependencyCycle',
      'in a circle: a → b → a; remove one',
    ],
    [
      'typo',
      { tasks: [{ name: 'build' }, { name: 'test', dependsOn: ['biuld'] }] },
      'UnknownDependency',
      'did you mean "build"?',
    ],
    ['nonsense', { tasks: [{ name: 'a', when: 'tasks.b' }] }, 'InvalidSpec', 'spec.tasks[0].when of task "a"'],
  ])('%s', async (name, spec, reason, message) => {
    await lab.apply(name, spec);
    const workflow = await lab.reaches(name, 'Failed', reason);
    expect(accepted(workflow)).toMatchObject({ status: 'False', reason });
    expect(workflow.status?.message).toContain(message);
    expect(lab.task(name, 'a')).toBeUndefined();
  });

  test('too large for one message', async () => {
    const acceptance = Array.from({ length: 20 }, (_, i) => `: ${i} ${'x'.repeat(4000)}`);
    await lab.apply('large', { tasks: [{ name: 'a', acceptance }] });
    await lab.reaches('large', 'Failed');
    const task = await lab.taskReaches('large', 'a', 'Failed', 'InvalidSpec');
    expect(task.status?.message).toContain('put long scripts into the repository');
    expect(task.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Accepted', status: 'False' }));
  });
});

describe('what the API server refuses', { timeout: TEST_MS }, () => {
  const project = { projectRef: { name: 'project' } };
  const task = (name: string, spec: object) =>
    lab.kube.create(resources.tasks, { metadata: { name, namespace: lab.namespace }, spec: spec as never });
  const workflow = (name: string, spec: object) =>
    lab.kube.create(resources.workflows, { metadata: { name, namespace: lab.namespace }, spec: spec as never });
  const pool = (name: string, spec: object) =>
    lab.kube.create(resources.pools, { metadata: { name, namespace: lab.namespace }, spec: spec as never });
  const either = 'set exactly one of prompt (model-driven agents) and command (runner agents)';

  test.each<[string, () => Promise<unknown>, string]>([
    ['both prompt and command', () => task('both', { ...project, prompt: 'p', command: ['c'] }), either],
    ['neither', () => task('neither', project), either],
    [
      'both in a Workflow',
      () => workflow('both', { ...project, tasks: [{ name: 'a', prompt: 'p', command: ['c'] }] }),
      either,
    ],
    ['neither in a Workflow', () => workflow('neither', { ...project, tasks: [{ name: 'a' }] }), either],
    [
      'two tasks of one name',
      () => workflow('twins', { ...project, tasks: [1, 2].map(() => ({ name: 'a', command: ['c'] })) }),
      'Duplicate value',
    ],
    ['a wrong enum', () => pool('enum', { capabilities: ['a'], engine: 'magic' }), 'supported values: "runner", "llm"'],
    [
      'more warm sandboxes than there may be',
      () => pool('warm', { capabilities: ['a'], scale: { warm: 3, max: 2 } }),
      'warm must not exceed max: raise max or lower warm',
    ],
    [
      'an engine that does not exist yet',
      () => pool('llm', { capabilities: ['a'], engine: 'llm' }),
      'set engine to runner, and give tasks a command',
    ],
    ['no capability at all', () => pool('none', { capabilities: [] }), 'should have at least 1 items'],
  ])('%s', async (_, create, message) => {
    const error = await create().then(
      () => undefined,
      (refused: unknown) => refused,
    );
    expect(isInvalid(error)).toBe(true);
    expect(String(error)).toContain(message);
  });

  test.each(['ssh://git@example.org/owner/name.git', 'git@example.org:owner/name.git', 'file:///etc'])(
    'a repository at %s',
    async (url) => {
      const { spec } = aProject({ repository: { url } });
      const metadata = { name: 'unsupported', namespace: lab.namespace };
      const refused = await lab.kube.create(resources.projects, { metadata, spec }).catch((error: unknown) => error);
      expect(isInvalid(refused)).toBe(true);
      expect(String(refused)).toContain('ssh is not supported: use the https:// URL with a token');
    },
  );

  test('taking a cancellation back, and changing what was asked for', async () => {
    await lab.apply('decided', { cancel: true, tasks: [{ name: 'a' }] });
    const back = await lab.change('decided', { cancel: false }).catch(String);
    expect(back).toContain('cancel cannot be taken back: create the Workflow anew');
    const other = await lab.change('decided', { tasks: [{ name: 'b', command: ['c'] }] as never }).catch(String);
    expect(other).toContain('tasks of a Workflow cannot change: create another Workflow');
  });
});

describe('messages that are not what they should be', { timeout: TEST_MS }, () => {
  const identity = { uid: randomUUID(), namespace: 'nowhere', name: 'nothing' };
  const reasonOf = (messageId: string) =>
    until(
      `dead letter ${messageId}`,
      async () => (await lab.deadLetters()).find((letter) => letter.messageId === messageId)?.reason,
    );
  const raw = (messageId: string, content: string) =>
    lab.broker.publishRaw(targets.results, Buffer.from(content), { messageId, persistent: true });
  const times = { startedAt: new Date().toISOString(), finishedAt: new Date().toISOString() };

  test('are kept with a reason, cost nothing else, and can be sent again', async () => {
    await raw('malformed', '{"type":"result"');
    await raw('invalid', JSON.stringify({ type: 'result', kind: 'run' }));
    await raw('unknown', JSON.stringify({ type: 'party' }));
    await raw('oversized', JSON.stringify({ type: 'hello', filler: 'x'.repeat(70_000) }));
    await lab.broker.publish(
      targets.results,
      claimMessage,
      { type: 'claim', kind: 'run', task: identity, attempt: 1, agent: { pool: 'pool', pod: 'p' } },
      { messageId: 'foreign' },
    );
    const { metadata } = await lab.taskReaches('single', 'only', 'Succeeded');
    const { uid, namespace, name } = metadata;
    await lab.broker.publish(
      targets.results,
      resultMessage,
      {
        type: 'result',
        kind: 'run',
        task: { uid, namespace, name },
        attempt: 1,
        token: 'forged',
        outcome: 'failed',
        ...times,
      },
      { messageId: 'stale' },
    );
    expect(await reasonOf('malformed')).toMatch(/^malformed/);
    expect(await reasonOf('invalid')).toMatch(/^invalid/);
    expect(await reasonOf('unknown')).toMatch(/^invalid/);
    expect(await reasonOf('oversized')).toMatch(/oversized|too large|bytes/);
    expect(await reasonOf('foreign')).toMatch(/^foreign: user .* claims for pool nowhere\/pool/);
    expect(await reasonOf('stale')).toMatch(/^stale or foreign: the token does not hold attempt 1/);

    const goodbye = {
      type: 'result',
      kind: 'run',
      task: { ...identity, uid: randomUUID() },
      attempt: 1,
      token: 'of a task that was deleted',
      ...times,
    } as const;
    const send = (outcome: 'cancelled' | 'failed', messageId: string) =>
      lab.broker.publish(targets.results, resultMessage, { ...goodbye, outcome }, { messageId });
    await send('cancelled', 'goodbye');
    await send('failed', 'too late');
    expect(await reasonOf('too late')).toMatch(/^stale or foreign/);
    expect((await lab.deadLetters()).map(({ messageId }) => messageId)).not.toContain('goodbye');

    const before = await lab.deadLetters();
    const stale = before.find(({ messageId }) => messageId === 'stale');
    expect(await redriveDeadLetters(lab.broker, { ids: [stale?.id ?? ''] })).toBe(1);
    // It is as stale as before, so it comes back, dead at a later time.
    await until('the letter to come back', async () =>
      (await lab.deadLetters()).find(({ messageId, diedAt }) => messageId === 'stale' && diedAt !== stale?.diedAt),
    );
    expect((await lab.deadLetters()).length).toBe(before.length);
    expect(lab.task('single', 'only')?.status?.phase).toBe('Succeeded');
    await lab.apply('unharmed', { tasks: [{ name: 'a' }] });
    await lab.reaches('unharmed', 'Succeeded');
  });
});

describe('faults in the middle of a Workflow', { timeout: TEST_MS }, () => {
  /** Tasks of a layer that hold their agents until they are released. */
  function held(workflow: string, names: readonly string[]) {
    const release = Promise.withResolvers<void>();
    const runs: string[] = [];
    for (const name of names)
      lab.on(workflow, name, async (grant, signal) => {
        runs.push(`${name}/${grant.kind}/${grant.attempt}`);
        await release.promise;
        return works(grant, signal);
      });
    return { release: release.resolve, runs };
  }
  const names = many(10).map(({ name }) => name);
  const layers = [
    ...many(10, { acceptance: ['true'] }),
    ...many(5).map(({ name }) => ({ name: `after-${name}`, dependsOn: names })),
  ];
  const noneTwice = (list: readonly string[]) => expect([...list].sort()).toEqual([...new Set(list)].sort());

  test('the operator is killed, and another with a higher epoch takes over', async () => {
    const { release, runs } = held('killed', names);
    await lab.apply('killed', { tasks: layers });
    await until('some to run', () => runs.length >= 5 || undefined);
    await lab.operator().kill();
    release();
    const { epoch } = await lab.startOperator();
    await lab.reaches('killed', 'Succeeded');
    expect(epoch).toBeGreaterThan(1);
    noneTwice(runs);
    noneTwice(published('killed'));
    expect(published('killed')).toHaveLength(15);
    for (const name of names)
      expect(lab.task('killed', name)?.status).toMatchObject({ phase: 'Succeeded', attempt: 1, tests: '1/1' });
  });

  test('it is killed again and again while work goes on', async () => {
    await lab.apply('harried', { tasks: layers });
    for (let i = 0; i < 3; i++) {
      const ended = () => lab.workflow('harried')?.status?.counts?.succeeded ?? 0;
      const before = ended();
      await until(
        'progress',
        () => ended() > before || lab.workflow('harried')?.status?.phase === 'Succeeded' || undefined,
      );
      await lab.operator().kill();
      await lab.startOperator();
    }
    await lab.reaches('harried', 'Succeeded');
    noneTwice(published('harried'));
    expect(published('harried')).toHaveLength(15);
  });

  test('RabbitMQ closes every connection', async () => {
    const { release, runs } = held('cut', names);
    await lab.apply('cut', { tasks: layers });
    await until('some to run', () => runs.length >= 5 || undefined);
    expect(await closeConnections(lab)).toBeGreaterThan(1);
    release();
    await lab.reaches('cut', 'Succeeded');
    noneTwice(published('cut'));
    expect(published('cut')).toHaveLength(15);
  });

  test('RabbitMQ closes only the connection on which the operator publishes, while it holds a result', async () => {
    await lab.createPool('lone', { capabilities: ['lone'] });
    await lab.agents('lone');
    const enable = (enabled: boolean) =>
      lab.kube.patch(resources.pools, { namespace: lab.namespace, name: 'lone' }, { spec: { enabled } });
    const { release, runs } = held('half', ['only']);
    await lab.apply('half', { tasks: [{ name: 'only', capabilities: ['lone'], acceptance: ['true'] }] });
    await until('it to run', () => runs.length > 0 || undefined);
    // Nobody may verify it, so the result is held until the status has it.
    await enable(false);
    const close = await findConnections(lab, 'publishing');
    await until('the pool to be out of use', async () => {
      const { status } = await lab.kube.get(resources.pools, { namespace: lab.namespace, name: 'lone' });
      return status?.conditions?.some(({ reason }) => reason === 'Disabled') || undefined;
    });
    const before = lab.operator().results();
    release();
    await until('the operator to have the result', () => lab.operator().results() > before || undefined);
    expect(await close()).toBe(1);
    const { status } = await lab.taskReaches('half', 'only', 'Verifying', 'NoCapablePool');
    expect(status).toMatchObject({ attempt: 1, result: { commit: expect.any(String) } });
    await enable(true);
    await lab.reaches('half', 'Succeeded');
    expect(runs).toEqual(['only/run/1', 'only/verify/1']);
  });

  test('RabbitMQ comes back without the work that waited', async () => {
    const pool = await lab.createPool('rare', { capabilities: ['rare'] });
    await lab.apply('lost', { tasks: many(1, { capabilities: ['rare'] }) });
    const key = { engine: pool.spec.engine, image: aProject().spec.workspace?.image ?? '', capabilities: ['rare'] };
    const queue = workQueueName(lab.namespace, key);
    const isThere = async () => (await lab.broker.queueDepth(queue)).messages > 0 || undefined;
    await until('the work to wait', isThere);
    await lab.broker.withChannel((channel) => channel.deleteQueue(queue));
    await closeConnections(lab);
    await until('the work to wait again', isThere);
    await lab.agents('rare');
    await lab.reaches('lost', 'Succeeded');
  });
});

test('nothing is left in the results queue', { timeout: TEST_MS }, async () => {
  await until('the queue to be empty', async () =>
    (await lab.broker.queueDepth(topology.results)).messages === 0 ? true : undefined,
  );
});
