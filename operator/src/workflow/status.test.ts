import { type AgentTaskStatus, type WorkflowStatus, workflowStatus } from '@millwright/crds';
import { describe, expect, test } from 'vitest';
import { aChild, aProject, at, aWorkflow, COMMIT, NOW, type TaskInput } from '../testing/objects.ts';
import { compileDag } from './dag.ts';
import { planWorkflow } from './plan.ts';

function statusOf(spec: TaskInput, tasks: Record<string, AgentTaskStatus>, before?: WorkflowStatus, now = NOW) {
  const workflow = aWorkflow(spec, {}, before);
  const children = new Map(Object.entries(tasks).map(([name, status]) => [name, aChild(workflow, name, status)]));
  const plan = planWorkflow({ workflow, dag: compileDag(workflow.spec), children, project: aProject() }, now);
  const action = plan.actions.find((candidate) => candidate.do === 'status');
  if (!action) throw new Error('no status');
  return { status: action.status, note: action.note };
}

const many = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `t${i}` }));
const all = (count: number, status: AgentTaskStatus) =>
  Object.fromEntries(many(count).map(({ name }) => [name, status]));

describe('the summary', () => {
  test('of a Workflow in the middle', () => {
    const { status, note } = statusOf(
      { tasks: [...many(3), { name: 'last', dependsOn: ['t0'] }] },
      { t0: { phase: 'Failed', reason: 'CommandFailed', message: 'exit code 1' }, t1: { phase: 'Running' }, t2: {} },
    );
    expect(status).toMatchObject({
      phase: 'Running',
      stage: 'BUILD',
      progress: '2/4',
      counts: { total: 4, running: 1, pending: 1, failed: 1, skipped: 1 },
      active: [
        { name: 't1', phase: 'Running' },
        { name: 't2', phase: 'Pending' },
      ],
      failures: [{ name: 't0', phase: 'Failed', reason: 'CommandFailed', message: 'exit code 1' }],
      message: '1 of 4 tasks are at work',
      startedAt: at(0),
    });
    expect(note).toEqual({ type: 'Warning', reason: 'TaskFailed', message: '"t0": CommandFailed: exit code 1' });
  });

  test('of one that succeeded', () => {
    const { status, note } = statusOf(
      { tasks: [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }] },
      {
        a: { phase: 'Succeeded', branch: 'ai/generated/flow/a', result: { commit: 'a'.repeat(40) } },
        b: { phase: 'Succeeded', branch: 'ai/generated/flow/b', result: { commit: COMMIT } },
      },
      undefined,
      NOW + 72_000,
    );
    expect(status).toMatchObject({
      stage: 'DONE',
      progress: '2/2',
      headSHA: COMMIT,
      branches: ['ai/generated/flow/a', 'ai/generated/flow/b'],
      finishedAt: at(72_000),
      duration: '1m12s',
      message: '2 of 2 tasks succeeded',
    });
    expect(status.conditions).toMatchObject([
      { type: 'Accepted', status: 'True' },
      { type: 'Complete', status: 'True' },
      { type: 'Failed', status: 'False' },
    ]);
    expect(note).toMatchObject({ type: 'Normal', reason: 'Succeeded' });
  });

  test('of one that failed names the first task and what happened to it', () => {
    const { status, note } = statusOf(
      { tasks: many(3) },
      all(3, { phase: 'Failed', reason: 'TestsFailed', message: '1 of 2 failed' }),
    );
    expect(status.message).toBe('3 of 3 tasks failed; "t0": TestsFailed: 1 of 2 failed');
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'Complete', status: 'False' }));
    expect(note).toMatchObject({ type: 'Warning', reason: 'Failed' });
  });

  test('one that is suspended says so while tasks are at work', () => {
    const { status } = statusOf({ tasks: many(2), suspend: true }, { t0: { phase: 'Running' } });
    expect(status.message).toBe('1 of 2 tasks are at work; no other is started, since spec.suspend is true');
  });

  test('skipped tasks are no failure and are told', () => {
    const tasks = [{ name: 'a' }, { name: 'b', dependsOn: ['a'], when: "tasks.a.phase == 'Failed'" }];
    const { status } = statusOf({ tasks }, { a: { phase: 'Succeeded' } });
    expect(status).toMatchObject({ phase: 'Succeeded', message: '1 of 2 tasks succeeded, 1 skipped' });
  });

  test('each skipped task is named, with the condition or the dependency', () => {
    const tasks = [
      { name: 'a' },
      { name: 'b', dependsOn: ['a'] },
      { name: 'c', dependsOn: ['b'] },
      { name: 'd', dependsOn: ['a'], when: "tasks.a.phase == 'Cancelled'" },
    ];
    const { status } = statusOf({ tasks }, { a: { phase: 'Failed', reason: 'TestsFailed', message: '1/2' } });
    expect(status.message).toBe('1 of 4 tasks failed, 3 skipped; "a": TestsFailed: 1/2');
    expect(status.skipped).toEqual([
      { name: 'b', reason: 'DependenciesNotMet', message: '"a": Failed' },
      { name: 'd', reason: 'ConditionFalse', message: "tasks.a.phase == 'Cancelled'" },
      { name: 'c', reason: 'DependenciesNotMet', message: '"b": Skipped' },
    ]);
  });

  test('stays small however many tasks are skipped', () => {
    const when = `'x' == '${'y'.repeat(500)}'`;
    const tasks = many(500).map(({ name }) => ({ name: `${name}-${'n'.repeat(50)}`, when }));
    const { status } = statusOf({ tasks }, {});
    expect(workflowStatus.parse(status)).toEqual(status);
    expect(status).toMatchObject({ counts: { skipped: 500 }, phase: 'Succeeded' });
    expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThan(16 * 1024);
  });

  test('several ends have no head', () => {
    const { status } = statusOf({ tasks: many(2) }, all(2, { phase: 'Succeeded', result: { commit: COMMIT } }));
    expect(status).not.toHaveProperty('headSHA');
  });

  test.each([
    ['running', { phase: 'Running', message: 'x'.repeat(1024) }],
    ['failed', { phase: 'Failed', reason: 'R'.repeat(64), message: 'x'.repeat(1024) }],
    ['published', { phase: 'Succeeded', branch: 'b'.repeat(255) }],
  ] as const)('stays small however many tasks are %s', (_, status) => {
    const summed = statusOf({ tasks: many(500) }, all(500, status)).status;
    expect(workflowStatus.parse(summed)).toEqual(summed);
    expect(Buffer.byteLength(JSON.stringify(summed))).toBeLessThan(64 * 1024);
  });
});

describe('what is told', () => {
  const failed = (reason: string): AgentTaskStatus => ({ phase: 'Failed', reason, message: 'exit code 1' });
  test('once: that it was accepted', () => {
    const first = statusOf({ tasks: [...many(2), { name: 'last', dependsOn: ['t0'] }] }, { t0: {} });
    expect(first.note).toEqual({ type: 'Normal', reason: 'Accepted', message: '3 tasks, 2 of them started' });
    expect(statusOf({ tasks: many(2) }, { t0: {} }, first.status).note).toBeUndefined();
  });

  test('once each: the tasks that failed, of several the last that ended', () => {
    const first = statusOf({ tasks: many(4) }, { t0: failed('A') });
    expect(first.note).toMatchObject({ type: 'Warning', reason: 'TaskFailed', message: '"t0": A: exit code 1' });
    const second = statusOf({ tasks: many(4) }, { t0: failed('A'), t1: failed('B'), t2: failed('C') }, first.status);
    expect(second.note).toMatchObject({ message: '"t2": C: exit code 1' });
    expect(statusOf({ tasks: many(4) }, all(3, failed('A')), second.status).note).toBeUndefined();
  });

  test('no failure twice when there are more than the status names', () => {
    const { status } = statusOf({ tasks: many(40) }, all(30, failed('A')));
    expect(statusOf({ tasks: many(40) }, all(30, failed('A')), status).note).toBeUndefined();
  });
});

describe('what can never run', () => {
  test('says what to change, and that it was not accepted', () => {
    const { status, note } = statusOf({ tasks: [{ name: 'a', dependsOn: ['a'] }] }, {});
    expect(status.message).toMatch(/a → a; remove one of these dependsOn entries; .* apply it under another name/);
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: 'Accepted', status: 'False', reason: 'DependencyCycle' }),
    );
    expect(note).toMatchObject({ type: 'Warning', reason: 'DependencyCycle' });
  });
});

describe('an unknown Project', () => {
  const workflow = aWorkflow();
  const observed = { workflow, dag: compileDag(workflow.spec), children: new Map() };
  const first = planWorkflow(observed, NOW).actions[0];

  test('is named', () => {
    expect(first).toMatchObject({
      status: {
        phase: 'Waiting',
        progress: '0/1',
        message: expect.stringMatching(/Project "project", .* team does not/),
      },
      note: { reason: 'UnknownProject' },
    });
  });
  test('is told once, and is not for ever', () => {
    if (first?.do !== 'status') throw new Error('no status');
    const known = { ...workflow, status: first.status };
    expect(planWorkflow({ ...observed, workflow: known }, NOW).actions[0]).not.toHaveProperty('note');
    const again = planWorkflow({ ...observed, workflow: known, project: aProject() }, NOW + 1);
    expect(again.actions.at(-1)).toMatchObject({
      status: { conditions: [{ type: 'Accepted', status: 'True', lastTransitionTime: at(1) }] },
    });
  });
});
