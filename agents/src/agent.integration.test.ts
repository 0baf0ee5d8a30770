import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './testing/eventually.ts';
import { attemptRef, createWorld, NAMESPACE, TOKEN, type World } from './testing/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const shell = (script: string) => ['sh', '-c', script];

describe('a run', () => {
  it('commits, pushes and reports what a command has changed', async () => {
    const agent = world.startAgent();
    const task = await world.give(
      'run',
      {
        setup: ['echo prepared > .setup-log; echo .setup-log > .gitignore'],
        command: shell('env | sort; cat .setup-log; echo new > file; cat .git/config'),
      },
      { env: [{ name: 'GREETING', value: 'hi' }] },
    );
    const result = await world.operator.resultOf(task.uid);
    expect(result).toMatchObject({
      kind: 'run',
      outcome: 'succeeded',
      exitCode: 0,
      token: `${task.uid}.1.run.1.fence`,
      base: world.git('rev-parse', 'refs/workflows/w/base'),
      commit: world.git('rev-parse', attemptRef(task)),
    });
    expect(result.summary).toContain('prepared');
    expect(world.git('show', `${result.commit}:file`)).toBe('new');
    expect(world.git('log', '-1', '--format=%an <%ae> %cn%n%B', String(result.commit))).toBe(
      'Millwright <agent@millwright.dev> Millwright\nDo the work\n\nMillwright-Task: team/task',
    );

    const [artifact] = result.artifacts ?? [];
    const log = world.gateway.artifacts.get(String(artifact?.digest))?.toString() ?? '';
    expect(log).toContain('GREETING=hi\n');
    expect(log).not.toContain(TOKEN);
    expect(log).not.toMatch(/MILLWRIGHT_|GIT_CONFIG|KUBERNETES_|amqp:/);
    expect(artifact?.bytes).toBe(Buffer.byteLength(log));

    expect(await agent.ended).toBe(0);
    expect(await agent.workspace.ended).toBe(0);
    // The trace goes on: same trace id, another parent, and another for each step that asks the gateway for something.
    const below = /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)/;
    const { traceparents, claimTraceparents } = world.operator;
    const asked = world.gateway.traceparents;
    const fetched = asked.find(({ path }) => path.endsWith('git-upload-pack'))?.traceparent;
    const pushed = asked.find(({ path }) => path.endsWith('git-receive-pack'))?.traceparent;
    const uploaded = asked.find(({ path }) => path.startsWith('/artifacts/'))?.traceparent;
    const contexts = [traceparents.get(task.uid), claimTraceparents.get(task.uid), fetched, pushed, uploaded];
    for (const context of contexts) expect(context).toMatch(below);
    expect(new Set(contexts).size).toBe(contexts.length);
    expect(result.steps?.map(({ name, status }) => [name, status])).toEqual(
      ['checkout', 'setup', 'work', 'push', 'upload'].map((name) => [name, 'succeeded']),
    );
    const events = world.operator.events.filter((event) => 'task' in event && event.task.uid === task.uid);
    const live = events
      .flatMap((event) => (event.type === 'log' ? [event] : []))
      .sort((a, b) => a.sequence - b.sequence);
    expect(live.map((event) => event.text).join('')).toBe(log);
    expect(events.map((event) => event.type)).toContain('artifact');
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
    const steps = events.flatMap((event) => (event.type === 'progress' ? [event.step] : []));
    expect(steps).toEqual(['checkout', 'setup', 'command', 'push']);
    // Nothing of the token is left in the checkout.
    expect(readFileSync(join(agent.workspace.directory, 'repo/.git/config'), 'utf8')).not.toContain(TOKEN);
  });

  it('has no commit when nothing changed', async () => {
    const agent = world.startAgent();
    const task = await world.give('run', { command: ['true'] });
    const result = await world.operator.resultOf(task.uid);
    expect(result).toMatchObject({ outcome: 'succeeded', exitCode: 0 });
    expect(result).not.toHaveProperty('commit');
    expect(await agent.ended).toBe(0);
  });

  it.each([
    [
      'a command that fails',
      { command: shell('echo the cause; exit 3') },
      {
        class: 'agent',
        reason: 'CommandFailed',
        exitCode: 3,
        message: 'the command ended with exit code 3: the cause',
        summary: 'the cause',
      },
    ],
    [
      'a program that does not exist',
      { command: ['no-such-program'] },
      {
        class: 'agent',
        reason: 'CommandFailed',
        exitCode: 127,
        message: expect.stringMatching(/^the command cannot be started: [^:]*no-such-program[^:]*:[^:]*$/),
      },
    ],
    [
      'a command line that is one string',
      { command: ['echo hi > x'] },
      {
        class: 'agent',
        reason: 'CommandFailed',
        exitCode: 127,
        message: expect.stringContaining('one string is one program: use ["sh", "-c", "echo hi > x"]'),
      },
    ],
    [
      'a setup command that fails',
      { setup: ['true', 'exit 4'], command: ['true'] },
      { class: 'agent', reason: 'SetupFailed', exitCode: 4 },
    ],
    [
      'a command that destroys the repository',
      { command: shell('rm -rf .git') },
      { class: 'agent', reason: 'InvalidOutput' },
    ],
    ['a prompt', { prompt: 'think' }, { class: 'governance', reason: 'InvalidSpec' }],
  ])('reports %s', async (_name, commands, expected) => {
    const agent = world.startAgent();
    const task = await world.give('run', commands);
    const result = await world.operator.resultOf(task.uid);
    expect(result).toMatchObject({ outcome: 'failed', ...expected });
    expect(result).not.toHaveProperty('commit');
    expect(await agent.ended).toBe(0);
  });

  it('reports a repository that cannot be fetched', async () => {
    const agent = world.startAgent();
    const task = await world.give('run', { command: ['true'] }, { git: { baseRef: 'refs/workflows/missing' } });
    const result = await world.operator.resultOf(task.uid);
    expect(result).toMatchObject({ outcome: 'failed', class: 'infrastructure', reason: 'CheckoutFailed' });
    expect(result.message).toContain('refs/workflows/missing');
    expect(await agent.ended).toBe(0);
  });

  it('keeps commits that commands made, also when they rewrote history', async () => {
    const agent = world.startAgent();
    const rewrite =
      'git checkout -q --orphan other; echo x > file; git add -A; git -c user.name=x -c user.email=x commit -q -m own; echo y > more';
    const task = await world.give('run', { command: shell(rewrite) });
    const { commit, base } = await world.operator.resultOf(task.uid);
    expect(world.git('log', '--format=%P', '-1', String(commit))).toBe(base);
    expect(world.git('ls-tree', '--name-only', String(commit)).split('\n')).toEqual(['README.md', 'file', 'more']);
    expect(await agent.ended).toBe(0);
  });
});

describe('dependencies', () => {
  it('are merged in their order before the work starts', async () => {
    const base = world.git('rev-parse', 'refs/workflows/w/base');
    const dependencies = ['one', 'two'].map((name) => {
      const ref = `refs/attempts/${name}/1`;
      return { name, ref, commit: world.commit(ref, { [name]: name }, base) };
    });
    const agent = world.startAgent();
    const task = await world.give('run', { command: shell('cat one two > both') }, { git: { dependencies } });
    const { commit, outcome } = await world.operator.resultOf(task.uid);
    expect(outcome).toBe('succeeded');
    expect(world.git('show', `${commit}:both`)).toBe('onetwo');
    for (const dependency of dependencies)
      expect(world.git('merge-base', dependency.commit, String(commit))).toBe(dependency.commit);
    expect(await agent.ended).toBe(0);
  });

  it('that contradict each other are named', async () => {
    const base = world.git('rev-parse', 'refs/workflows/w/base');
    const dependencies = ['left', 'right'].map((name) => {
      const ref = `refs/attempts/${name}/1`;
      return { name, ref, commit: world.commit(ref, { 'README.md': name }, base) };
    });
    const agent = world.startAgent();
    const task = await world.give('run', { command: ['true'] }, { git: { dependencies } });
    const result = await world.operator.resultOf(task.uid);
    expect(result).toMatchObject({ outcome: 'failed', class: 'agent', reason: 'MergeConflict' });
    expect(result.message).toMatch(/result of right contradicts what left changed in README\.md/);
    expect(await agent.ended).toBe(0);
  });
});

describe('a verification', () => {
  it('runs every acceptance command on the produced commit', async () => {
    const base = world.git('rev-parse', 'refs/workflows/w/base');
    const pushRef = 'refs/attempts/produced/1';
    const commit = world.commit(pushRef, { tested: 'yes' }, base);
    const git = { commit, pushRef };
    const agent = world.startAgent();
    const task = await world.give('verify', { acceptance: ['grep yes tested', 'echo sorry; exit 2', 'true'] }, { git });
    expect(await world.operator.resultOf(task.uid)).toMatchObject({
      kind: 'verify',
      outcome: 'failed',
      class: 'verification',
      reason: 'TestsFailed',
      tests: { passed: 2, total: 3 },
      exitCode: 2,
      message: 'acceptance command 2 (echo sorry; exit 2) ended with exit code 2: sorry',
      summary: 'sorry',
      commit,
    });
    expect(await agent.ended).toBe(0);

    world.startAgent();
    const again = await world.give(
      'verify',
      { acceptance: ['grep yes tested', 'git status --porcelain | grep . && exit 1 || true'] },
      { git },
    );
    expect(await world.operator.resultOf(again.uid)).toMatchObject({
      outcome: 'succeeded',
      tests: { passed: 2, total: 2 },
    });
  });
});

describe('an interruption', () => {
  const endless = shell("trap '' TERM; echo half > file; echo started; while :; do sleep 1; done");
  const started = (uid: string) => () =>
    world.operator.events.some(
      (event) => event.type === 'log' && event.task.uid === uid && event.text.includes('started'),
    );

  it.each([
    ['a cancellation', 'cancel', { outcome: 'cancelled', reason: 'CancelledByUser', message: 'enough' }],
    ['an eviction', 'evict', { outcome: 'failed', class: 'infrastructure', reason: 'Evicted' }],
  ])('by %s saves the work within 10 seconds', async (_name, how, expected) => {
    const agent = world.startAgent();
    const task = await world.give('run', { command: endless });
    await world.operator.until(started(task.uid));
    const from = Date.now();
    if (how === 'cancel') await world.operator.control({ type: 'cancel', task, attempt: 1, reason: 'enough' });
    else {
      // The kubelet sends it to both containers.
      agent.kill('SIGTERM');
      agent.workspace.kill('SIGTERM');
    }
    const result = await world.operator.resultOf(task.uid);
    expect(Date.now() - from).toBeLessThan(10_000);
    expect(result).toMatchObject(expected);
    expect(world.git('show', `${attemptRef(task)}:file`)).toBe('half');
    expect(world.git('log', '-1', '--format=%(trailers:key=Millwright-Incomplete,valueonly)', attemptRef(task))).toBe(
      expected.reason,
    );
    expect(result.commit).toBe(world.git('rev-parse', attemptRef(task)));
    expect(await agent.ended).toBe(0);
    expect(await agent.workspace.ended).toBe(0);
  });

  it('by the deadline is a failure of the agent, with the work saved', async () => {
    const agent = world.startAgent();
    const task = await world.give('run', { command: endless }, { timeoutSeconds: 3 });
    expect(await world.operator.resultOf(task.uid)).toMatchObject({
      outcome: 'failed',
      class: 'agent',
      reason: 'DeadlineExceeded',
    });
    expect(world.git('show', `${attemptRef(task)}:file`)).toBe('half');
    expect(await agent.ended).toBe(0);
  });

  it('by the end of the workspace is a failure of the infrastructure', async () => {
    const agent = world.startAgent();
    const task = await world.give('run', { command: endless });
    await world.operator.until(started(task.uid));
    agent.workspace.kill('SIGKILL');
    expect(await world.operator.resultOf(task.uid)).toMatchObject({
      outcome: 'failed',
      class: 'infrastructure',
      reason: 'SandboxLost',
    });
    expect(await agent.ended).toBe(0);
  });
});

describe('the broker', () => {
  it('may go away while an attempt runs: the result arrives once it is back', async () => {
    const agent = world.startAgent();
    const task = await world.give('run', {
      command: shell('echo started; until [ -e ../go ]; do sleep 0.1; done; echo done > file'),
    });
    await world.operator.until(() =>
      world.operator.events.some(
        (event) => event.type === 'log' && event.task.uid === task.uid && event.text.includes('started'),
      ),
    );
    world.proxy.refuse = true;
    world.proxy.cut();
    world.git('update-ref', '-d', attemptRef(task));
    writeFileSync(join(agent.workspace.directory, 'go'), '');
    await eventually(() => world.git('for-each-ref', attemptRef(task))).not.toBe('');
    expect(world.operator.results.some((result) => result.task.uid === task.uid)).toBe(false);
    world.proxy.refuse = false;
    expect(await world.operator.resultOf(task.uid)).toMatchObject({ outcome: 'succeeded' });
    expect(await agent.ended).toBe(0);
  });

  it('delivers a claim that is dropped, and then the next', async () => {
    const { decide } = world.operator;
    const lost = await world.give('run', { command: ['true'] });
    world.operator.decide = (claim) =>
      claim.task.uid === lost.uid
        ? { type: 'drop', task: claim.task, attempt: claim.attempt, reason: 'granted to another' }
        : decide(claim);
    const agent = world.startAgent();
    await world.operator.until(() => world.operator.claims.some(({ task }) => task.uid === lost.uid));
    const next = await world.give('run', { command: ['true'] });
    expect(await world.operator.resultOf(next.uid)).toMatchObject({ outcome: 'succeeded' });
    expect(await agent.ended).toBe(0);
    expect(world.operator.results.some((result) => result.task.uid === lost.uid)).toBe(false);
    expect((await world.operator.broker.queueDepth(world.queue)).messages).toBe(0);
  });

  it('tells idle agents of new queues, and to end', async () => {
    const { operator } = world;
    const key = { namespace: NAMESPACE, engine: 'runner', image: 'toolchain:1', capabilities: ['other'] } as const;
    const other = await operator.broker.ensureWorkQueue(key);
    const agent = world.startAgent();
    await eventually(async () => (await operator.broker.queueDepth(world.queue)).consumers).toBe(1);
    const { pool, pod } = { pool: agent.pod.replace(/-\d+$/, ''), pod: agent.pod };
    const queues = { type: 'queues' as const, namespace: NAMESPACE, pool, queues: [other] };
    await operator.control({ ...queues, image: 'another' });
    await operator.control({ ...queues, image: 'toolchain:1' });
    await eventually(async () => (await operator.broker.queueDepth(other)).consumers).toBe(1);
    await eventually(async () => (await operator.broker.queueDepth(world.queue)).consumers).toBe(0);
    await operator.control({ type: 'drain', namespace: NAMESPACE, pool, pod: 'another' });
    await operator.control({ type: 'drain', namespace: NAMESPACE, pool, pod });
    expect(await agent.ended).toBe(0);
    expect(await agent.workspace.ended).toBe(0);
  });

  it('lets an idle agent end at once on SIGTERM', async () => {
    const agent = world.startAgent();
    await eventually(async () => (await world.operator.broker.queueDepth(world.queue)).consumers).toBe(1);
    agent.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
  });
});
