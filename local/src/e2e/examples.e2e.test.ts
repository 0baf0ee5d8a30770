import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentPool, type AgentTask, isFinished, type Project, type Workflow } from '@millwright/crds';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Installed, installed } from './installed.ts';
import { createTeam, type Team } from './team.ts';

/** Each manifest in `examples/` does what its comment says. All are applied at once, as a busy team would. */
const applied = [
  'quickstart/workflow.yaml',
  'conditions.yaml',
  'failed-verification.yaml',
  'no-capable-pool.yaml',
  'retries.yaml',
  'standalone-task.yaml',
  'suspended.yaml',
  'time-limit.yaml',
  'unknown-project.yaml',
  'unpullable-image.yaml',
  'rejected/cycle.yaml',
] as const;

const patience = { timeout: 240_000, interval: 500 };
let world: Installed;
let team: Team;

beforeAll(async () => {
  world = await installed();
  team = await createTeam(world.ctx, world.cluster);
  for (const file of applied) await team.applyExample(file);
});
afterAll(async () => {
  await team?.[Symbol.asyncDispose]();
});

/** Waits until a task that stands alone has ended. */
async function endedTask(name: string): Promise<AgentTask> {
  await expect.poll(async () => isFinished((await team.task(name)).status?.phase), patience).toBe(true);
  return team.task(name);
}

const verdicts = async (workflow: string) =>
  Object.fromEntries(
    Object.entries(await team.tasks(workflow)).map(([name, { status }]) => [
      name,
      `${status?.phase}/${status?.reason}`,
    ]),
  );

const condition = (of: Workflow, type: string) => of.status?.conditions?.find((one) => one.type === type);

describe('quickstart', () => {
  test('every task succeeds, verified by another pod than ran it, and each result is a branch', async () => {
    await team.kubectl(['wait', 'mwf/modernize', '--for=condition=Complete', '--timeout=280s']);
    const workflow = await team.workflow('modernize');
    const tasks = await team.tasks('modernize');
    expect(workflow.status).toMatchObject({ phase: 'Succeeded', reason: 'Completed', progress: '6/6', stage: 'DONE' });
    expect(await verdicts('modernize')).toEqual({
      vet: 'Succeeded/NoChangesNeeded',
      language: 'Succeeded/Completed',
      any: 'Succeeded/Completed',
      coverage: 'Succeeded/Completed',
      api: 'Succeeded/Completed',
      'release-notes': 'Succeeded/Completed',
    });
    const tests = { language: '2/2', any: '3/3', coverage: '1/1', api: '1/1', 'release-notes': '2/2' };
    const published = await team.branches();
    for (const [name, passed] of Object.entries(tests)) {
      const { status } = tasks[name] ?? {};
      expect(status?.tests).toBe(passed);
      expect(status?.verifier?.pod).toBeTruthy();
      expect(status?.verifier?.pod).not.toBe(status?.agent?.pod);
      expect(status?.branch).toBe(`ai/generated/modernize/${name}`);
      expect(published[`ai/generated/modernize/${name}`]).toBe(status?.result?.commit);
    }
    expect(Object.keys(published).filter((branch) => branch.startsWith('ai/generated/modernize/'))).toHaveLength(5);
    expect(workflow.status?.headSHA).toBe(tasks['release-notes']?.status?.result?.commit);
  });

  test('the last task stands on the results of all before it', async () => {
    const head = 'ai/generated/modernize/release-notes';
    expect(await team.git(['show', `${head}:go.mod`])).toContain('go 1.21\n');
    expect(await team.git(['show', `${head}:COVERAGE.txt`])).toContain('total:');
    expect(await team.git(['show', `${head}:NOTES.md`])).toContain('# Release notes');
    expect(await team.git(['show', `${head}:API.txt`])).toContain('type UUID [16]byte');
    expect(await team.git(['grep', '--count', 'interface{}', 'main', '--', '*.go'])).not.toBe('');
    await expect(team.git(['grep', '--count', 'interface{}', head, '--', '*.go'])).rejects.toThrow('exit code 1');
  });
});

describe('a task that stands alone', () => {
  test('and changes nothing succeeds without a branch', async () => {
    const { status } = await endedTask('vet');
    expect(status).toMatchObject({ phase: 'Succeeded', reason: 'NoChangesNeeded' });
    expect(status).not.toHaveProperty('branch');
    expect(status?.result).not.toHaveProperty('commit');
  });

  test('is ended at its time limit', async () => {
    const { status } = await endedTask('time-limit');
    expect(status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
    const took = Date.parse(status?.finishedAt ?? '') - Date.parse(status?.startedAt ?? '');
    expect(took).toBeGreaterThanOrEqual(5_000);
    expect(took).toBeLessThan(60_000);
  });

  test('without a pool waits, is told which pool is nearest, and runs once that pool offers what it lacks', async () => {
    const waits = async () => (await team.task('no-capable-pool')).status;
    await expect.poll(waits, patience).toMatchObject({ phase: 'Waiting', reason: 'NoCapablePool' });
    expect((await waits())?.message).toMatch(/go-runners.*cobol/);
    const more = { spec: { capabilities: ['go', 'shell', 'cobol'] } };
    await team.kubectl(['patch', 'mpool', 'go-runners', '--type=merge', '-p', JSON.stringify(more)]);
    expect((await endedTask('no-capable-pool')).status).toMatchObject({ phase: 'Succeeded' });
  });
});

describe('an image that cannot be pulled', () => {
  const pool = async () =>
    (JSON.parse(await team.kubectl(['get', 'mpool', 'go-runners', '-o', 'json'])) as AgentPool).status;

  test('is what its task says it waits for, and its pool names the Project', async () => {
    const waits = async () => (await team.task('unpullable-image')).status;
    await expect.poll(waits, patience).toMatchObject({ reason: expect.stringMatching(/ImagePull|BackingOff/) });
    expect((await waits())?.message).toMatch(/registry\.invalid.*correct spec\.workspace\.image of the Project/s);
    await expect.poll(pool, patience).toMatchObject({
      message: expect.stringContaining('image registry.invalid/toolchain:1 (Project unpullable-image): '),
    });
  });

  test('costs the others nothing, and few sandboxes', async () => {
    const status = await pool();
    expect(status?.conditions).toMatchObject([{ type: 'Ready', status: 'True', reason: 'ImagePull' }]);
    // By now the other examples have taken about thirty.
    const events = await team.kubectl(['get', 'events', '-o=jsonpath={range .items[*]}{.message}{"\\n"}{end}']);
    const images = Object.groupBy(events.match(/(?<=^Job \S+ with image ).*$/gm) ?? [], (image) => image);
    const made = Object.entries(images).map(([image, of]) => `${of?.length} of ${image}`);
    expect(status?.sequence, `sandboxes made: ${made.join(', ')}`).toBeLessThan(80);
  });

  test('is no matter any more once the Project is corrected', async () => {
    const { spec } = JSON.parse(await team.kubectl(['get', 'mproj', 'uuid', '-o', 'json'])) as Project;
    await team.kubectl(['patch', 'mproj', 'unpullable-image', '--type=merge', '-p', JSON.stringify({ spec })]);
    expect((await endedTask('unpullable-image')).status).toMatchObject({ phase: 'Succeeded' });
    await expect
      .poll(pool, patience)
      .toMatchObject({ conditions: [{ type: 'Ready', status: 'True', reason: 'Ready' }] });
  });
});

describe('a Workflow', () => {
  test('whose command breaks the code fails, publishes nothing, skips what depends on it and goes on elsewhere', async () => {
    const { status } = await team.ended('failed-verification');
    expect(status).toMatchObject({ phase: 'Failed', reason: 'TaskFailed' });
    expect(await verdicts('failed-verification')).toMatchObject({
      break: 'Failed/TestsFailed',
      independent: 'Succeeded/NoChangesNeeded',
    });
    expect(status?.counts).toMatchObject({ total: 3, failed: 1, skipped: 1, succeeded: 1 });
    const { break: broken } = await team.tasks('failed-verification');
    expect(broken?.status?.tests).toBe('0/1');
    expect(broken?.status?.verifier?.pod).not.toBe(broken?.status?.agent?.pod);
    expect(Object.keys(await team.branches()).filter((branch) => branch.includes('failed-verification'))).toEqual([]);
  });

  test('whose task fails twice and then succeeds has used three attempts', async () => {
    expect((await team.ended('retries')).status?.phase).toBe('Succeeded');
    const { flaky } = await team.tasks('retries');
    expect(flaky?.status).toMatchObject({ phase: 'Succeeded', try: '3/3', attempt: 3 });
    expect(flaky?.status?.history?.map(({ attempt, outcome, class: kind }) => [attempt, outcome, kind])).toEqual([
      [1, 'Failed', 'agent'],
      [2, 'Failed', 'agent'],
      [3, 'Succeeded', undefined],
    ]);
  });

  test('with conditions runs what its conditions say', async () => {
    const { status } = await team.ended('conditions');
    expect(status).toMatchObject({ phase: 'Failed', reason: 'TaskFailed' });
    expect(status?.counts).toMatchObject({ total: 4, failed: 1, skipped: 1, succeeded: 2 });
    const tasks = await team.tasks('conditions');
    expect(await verdicts('conditions')).toMatchObject({
      lint: 'Failed/CommandFailed',
      cleanup: 'Succeeded/NoChangesNeeded',
      deploy: 'Succeeded/NoChangesNeeded',
    });
    expect(tasks.lint?.status?.message).toContain('3');
    expect(tasks.deploy?.status?.result?.summary).toContain('to staging');
  });

  test('without its Project waits with a reason, and runs once there is one', async () => {
    const waits = async () => (await team.workflow('unknown-project')).status;
    await expect.poll(waits, patience).toMatchObject({ phase: 'Waiting', reason: 'UnknownProject' });
    expect((await waits())?.message).toContain('no-such-project');
    const project = JSON.parse(await team.kubectl(['get', 'mproj', 'uuid', '-o', 'json'])) as { spec: unknown };
    await team.create({
      apiVersion: 'millwright.dev/v1alpha1',
      kind: 'Project',
      metadata: { name: 'no-such-project' },
      spec: project.spec,
    });
    expect((await team.ended('unknown-project')).status?.phase).toBe('Succeeded');
  });

  test('that is suspended creates no task until it is resumed, and can be cancelled instead', async () => {
    const manifest = readFileSync(join(world.ctx.repository, 'examples/suspended.yaml'), 'utf8');
    await team.kubectl(['apply', '-f', '-'], manifest.replace('name: suspended', 'name: unwanted'));
    for (const name of ['suspended', 'unwanted']) {
      const status = async () => (await team.workflow(name)).status;
      await expect.poll(status, patience).toMatchObject({ phase: 'Waiting', reason: 'Suspended' });
      expect(await team.tasks(name)).toEqual({});
    }
    const patch = (name: string, change: string) =>
      team.kubectl(['patch', 'mwf', name, '--type', 'merge', '-p', change]);
    await patch('suspended', '{"spec":{"suspend":false}}');
    await patch('unwanted', '{"spec":{"cancel":true}}');
    expect((await team.ended('suspended')).status?.phase).toBe('Succeeded');
    expect((await team.ended('unwanted')).status).toMatchObject({ phase: 'Cancelled', reason: 'CancelledByUser' });
    expect(await team.tasks('unwanted')).toEqual({});
  });
});

describe('what is rejected', () => {
  test('a cycle is spelled out', async () => {
    const workflow = await team.ended('cycle');
    expect(workflow.status).toMatchObject({ phase: 'Failed', reason: 'DependencyCycle' });
    expect(condition(workflow, 'Accepted')).toMatchObject({ status: 'False', reason: 'DependencyCycle' });
    expect(workflow.status?.message).toMatch(/a → b → c → a|b → c → a → b|c → a → b → c|a → c → b → a/);
    expect(await team.tasks('cycle')).toEqual({});
  });

  test('prompt and command together are refused by the API server, with what to do', async () => {
    await expect(team.applyExample('rejected/prompt-and-command.yaml')).rejects.toThrow(
      /spec\.tasks\[0\].*set exactly one of prompt .* and command/s,
    );
  });
});

describe('what people see', () => {
  test('`kubectl get millwright` lists every kind, and tasks have their columns', async () => {
    const everything = await team.kubectl(['get', 'millwright']);
    for (const one of [
      'project.millwright.dev/uuid',
      'agentpool.millwright.dev/go-runners',
      'workflow.millwright.dev/modernize',
    ])
      expect(everything).toContain(one);
    const [header = '', row = ''] = (await team.kubectl(['get', 'mtask', 'time-limit'])).split('\n');
    expect(header.split(/\s{2,}/)).toEqual(['NAME', 'PHASE', 'REASON', 'ROLE', 'TRY', 'TESTS', 'COST', 'AGE']);
    expect(row).toMatch(/^time-limit +Failed +DeadlineExceeded +1\/1 /);
    const [wide = ''] = (await team.kubectl(['get', 'mtask', '-o', 'wide'])).split('\n');
    for (const column of ['WORKFLOW', 'CAPABILITIES', 'BRANCH', 'DURATION', 'POD', 'TRACE'])
      expect(wide).toContain(column);
  });

  test('`kubectl describe` tells the story of a task', async () => {
    const { language } = await team.tasks('modernize');
    const story = await team.kubectl(['describe', 'mtask', language?.metadata.name ?? '']);
    for (const event of [
      /Dispatched .* attempt 1 runs on /,
      /Verifying .* runs the acceptance commands/,
      /Succeeded .* published .* as ai\/generated/,
    ])
      expect(story).toMatch(event);
    const { flaky } = await team.tasks('retries');
    expect(await team.kubectl(['describe', 'mtask', flaky?.metadata.name ?? ''])).toMatch(
      /Warning +AttemptFailed .* attempt 2: agent: CommandFailed/,
    );
  });

  test('`kubectl explain` describes a field, and `kubectl wait` works for tasks as for Workflows', async () => {
    const explained = await team.kubectl(['explain', 'workflow.spec.tasks']);
    expect(explained).toMatch(/dependsOn\s+<\[\]string>\s+Tasks that must have ended before this one starts\./);
    await team.kubectl(['wait', 'mtask/vet', '--for=condition=Complete', '--timeout=60s']);
    await team.kubectl(['wait', 'mtask/time-limit', '--for=condition=Failed', '--timeout=60s']);
  });

  test('finished sandboxes keep their logs', async () => {
    const { language } = await team.tasks('modernize');
    const pod = language?.status?.agent?.pod ?? '';
    expect(await team.kubectl(['logs', pod, '-c', 'agent'])).toContain(language?.metadata.name);
  });
});
