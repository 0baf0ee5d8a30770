import type { AgentTaskStatus } from '@millwright/crds';
import { describe, expect, test } from 'vitest';
import { aChild, aWorkflow, type TaskInput } from '../testing/objects.ts';
import { compileDag } from './dag.ts';
import { countStates, nodeStates } from './states.ts';

type Tasks = NonNullable<TaskInput['tasks']>;
type Phases = Record<string, NonNullable<AgentTaskStatus['phase']>>;

function statesOf(tasks: Tasks, phases: Phases, params: Record<string, string> = {}) {
  const workflow = aWorkflow({ tasks, params });
  const compiled = compileDag(workflow.spec);
  if (!compiled.ok) throw new Error(compiled.message);
  const children = new Map(
    Object.entries(phases).map(([name, phase]) => [name, aChild(workflow, name, { phase, reason: `${phase}Reason` })]),
  );
  return nodeStates(compiled.dag, children, params);
}

const a = { name: 'a' };
const onA = (more: Partial<Tasks[number]> = {}): Tasks => [a, { name: 'b', dependsOn: ['a'], ...more }];

describe('the state of a task', () => {
  test.each<[string, Tasks, Phases, Record<string, string>]>([
    ['a root is ready', [a], {}, { a: 'ready' }],
    ['created: active', [a], { a: 'Pending' }, { a: 'active' }],
    ['at work: active', onA(), { a: 'Verifying' }, { a: 'active', b: 'blocked' }],
    ['not created: blocks', onA(), {}, { a: 'ready', b: 'blocked' }],
    ['succeeded: frees', onA(), { a: 'Succeeded' }, { a: 'ended', b: 'ready' }],
    ['failed: skips what depends on it', onA(), { a: 'Failed' }, { a: 'ended', b: 'skipped' }],
    ['cancelled: skips what depends on it', onA(), { a: 'Cancelled' }, { a: 'ended', b: 'skipped' }],
    [
      'when overrides the default',
      onA({ when: "tasks.a.phase == 'Failed'" }),
      { a: 'Failed' },
      { a: 'ended', b: 'ready' },
    ],
    [
      'when sees reasons',
      onA({ when: "tasks.a.reason == 'FailedReason'" }),
      { a: 'Failed' },
      { a: 'ended', b: 'ready' },
    ],
    [
      'when that is false skips',
      onA({ when: "tasks.a.phase == 'Failed'" }),
      { a: 'Succeeded' },
      { a: 'ended', b: 'skipped' },
    ],
    [
      'when waits for the end',
      onA({ when: "tasks.a.phase != 'Failed'" }),
      { a: 'Running' },
      { a: 'active', b: 'blocked' },
    ],
    ['a root may have a condition', [{ name: 'a', when: "'x' == 'y'" }], {}, { a: 'skipped' }],
    [
      'skipping goes on',
      [...onA(), { name: 'c', dependsOn: ['b'] }],
      { a: 'Failed' },
      { a: 'ended', b: 'skipped', c: 'skipped' },
    ],
    [
      'a condition can see that a task was skipped',
      [...onA(), { name: 'c', dependsOn: ['b'], when: "tasks.b.phase == 'Skipped' && tasks.b.reason == 'Skipped'" }],
      { a: 'Failed' },
      { a: 'ended', b: 'skipped', c: 'ready' },
    ],
    [
      'all dependencies count',
      [a, { name: 'z' }, { name: 'c', dependsOn: ['a', 'z'] }],
      { a: 'Succeeded', z: 'Running' },
      { a: 'ended', z: 'active', c: 'blocked' },
    ],
    [
      'a task that exists is what it is, whatever its dependencies',
      onA(),
      { a: 'Failed', b: 'Running' },
      { a: 'ended', b: 'active' },
    ],
  ])('%s', (_, tasks, phases, expected) => {
    const states = statesOf(tasks, phases);
    expect(Object.fromEntries([...states].map(([name, { state }]) => [name, state]))).toEqual(expected);
  });

  test('conditions see params', () => {
    const tasks = [{ name: 'a', when: "params.go == 'yes'" }];
    expect(statesOf(tasks, {}, { go: 'yes' }).get('a')?.state).toBe('ready');
    expect(statesOf(tasks, {}, { go: 'no' }).get('a')?.state).toBe('skipped');
  });
});

test('counts', () => {
  const names = ['p', 'w', 'r', 'v', 's', 'f', 'c', 'n'];
  const tasks = [...names.map((name) => ({ name })), { name: 'skip', dependsOn: ['f'] }];
  const phases = {
    p: 'Pending',
    w: 'Waiting',
    r: 'Running',
    v: 'Verifying',
    s: 'Succeeded',
    f: 'Failed',
    c: 'Cancelled',
  };
  expect(countStates(statesOf(tasks, phases as Phases))).toEqual({
    total: 9,
    pending: 3,
    running: 2,
    succeeded: 1,
    failed: 1,
    skipped: 1,
    cancelled: 1,
  });
});
