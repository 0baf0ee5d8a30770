import type { AgentTaskStatus, WorkflowStatus } from '@millwright/crds';
import { describe, expect, test } from 'vitest';
import { aChild, aProject, at, aWorkflow, BASE, COMMIT, NOW, type TaskInput } from '../testing/objects.ts';
import type { WorkflowPlan } from './actions.ts';
import { compileDag } from './dag.ts';
import { planWorkflow } from './plan.ts';

interface Case {
  spec?: TaskInput;
  meta?: Parameters<typeof aWorkflow>[1];
  status?: WorkflowStatus;
  /** Status by name of the task; these exist. */
  tasks?: Record<string, AgentTaskStatus>;
  noProject?: true;
  now?: number;
}

function plan({ spec = {}, meta = {}, status, tasks = {}, noProject, now = NOW }: Case): WorkflowPlan {
  const workflow = aWorkflow(spec, meta, status);
  const children = new Map(Object.entries(tasks).map(([name, child]) => [name, aChild(workflow, name, child)]));
  const observed = { workflow, dag: compileDag(workflow.spec), children };
  return planWorkflow(noProject ? observed : { ...observed, project: aProject() }, now);
}

const summary = ({ actions }: WorkflowPlan): string[] =>
  actions.map((action) => {
    if (action.do === 'create')
      return `create ${action.tasks.map((task) => task.metadata.labels?.['millwright.dev/task'])}`;
    if (action.do !== 'status') return action.do;
    return `status${action.lazy ? '~' : ''} ${action.status.phase}/${action.status.reason}`;
  });

const statusOf = (made: WorkflowPlan): WorkflowStatus => {
  const action = made.actions.find((candidate) => candidate.do === 'status');
  if (!action) throw new Error('no status');
  return action.status;
};

const chain = { tasks: [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }] };
const succeeded: AgentTaskStatus = { phase: 'Succeeded', reason: 'Completed', attempt: 1 };
const failed: AgentTaskStatus = { phase: 'Failed', reason: 'CommandFailed', message: 'exit code 1' };
const running: AgentTaskStatus = { phase: 'Running', reason: 'AgentRunning' };
const waiting: AgentTaskStatus = { phase: 'Waiting', reason: 'CapacityFull', message: 'all busy' };
const seen: WorkflowStatus = { phase: 'Running', reason: 'InProgress', observedGeneration: 1 };

describe('what is done about a Workflow', () => {
  test.each<[string, Case, string[], number?]>([
    ['new: creates the roots', { spec: chain }, ['create a', 'status~ Running/InProgress']],
    ['at work: nothing to create', { spec: chain, tasks: { a: running } }, ['status~ Running/InProgress']],
    [
      'a dependency ended: creates',
      { spec: chain, tasks: { a: succeeded } },
      ['create b', 'status~ Running/InProgress'],
    ],
    ['all ended', { spec: chain, tasks: { a: succeeded, b: succeeded } }, ['status Succeeded/Completed']],
    [
      'a task failed: the others are skipped, the end',
      { spec: chain, tasks: { a: failed } },
      ['status Failed/TaskFailed'],
    ],
    [
      'a task was cancelled: the end',
      { spec: chain, tasks: { a: { phase: 'Cancelled', reason: 'CancelledByUser' } } },
      ['status Cancelled/CancelledByUser'],
    ],
    [
      'a failed task wins over a cancelled one',
      { spec: { tasks: [{ name: 'a' }, { name: 'b' }] }, tasks: { a: failed, b: { phase: 'Cancelled' } } },
      ['status Failed/TaskFailed'],
    ],
    ['a task waits: so does the Workflow', { spec: chain, tasks: { a: waiting } }, ['status~ Waiting/CapacityFull']],
    ['new tasks are dispatched', { spec: chain, tasks: { a: {} } }, ['status~ Running/InProgress']],
    ['suspended: creates nothing', { spec: { ...chain, suspend: true } }, ['status~ Waiting/Suspended']],
    [
      'suspended: what runs goes on',
      { spec: { ...chain, suspend: true }, tasks: { a: running } },
      ['status~ Running/InProgress'],
    ],
    [
      'suspended: what is left is not the end',
      { spec: { ...chain, suspend: true }, tasks: { a: succeeded } },
      ['status~ Waiting/Suspended'],
    ],
    [
      'the spec changed: its tasks are told',
      { spec: chain, tasks: { a: running }, status: seen, meta: { generation: 2 } },
      ['notifyTasks', 'status~ Running/InProgress'],
    ],
    [
      'cancelled: its tasks are told',
      { spec: { ...chain, cancel: true }, tasks: { a: running } },
      ['notifyTasks', 'status~ Running/CancelledByUser'],
    ],
    [
      'cancelled before anything was created: the end',
      { spec: { ...chain, cancel: true } },
      ['notifyTasks', 'status Cancelled/CancelledByUser'],
    ],
    [
      'cancelled and nothing is left: the end, although not all ran',
      { spec: { ...chain, cancel: true }, tasks: { a: succeeded } },
      ['notifyTasks', 'status Cancelled/CancelledByUser'],
    ],
    [
      'its time is not over',
      { spec: { ...chain, timeoutSeconds: 60 }, tasks: { a: running } },
      ['status~ Running/InProgress'],
      60_000,
    ],
    [
      'its time is over: its tasks are told',
      { spec: { ...chain, timeoutSeconds: 60 }, tasks: { a: running }, now: NOW + 60_000 },
      ['notifyTasks', 'status~ Running/DeadlineExceeded'],
    ],
    [
      'its time is over and nothing runs: failed',
      { spec: { ...chain, timeoutSeconds: 60 }, tasks: { a: succeeded }, now: NOW + 60_000 },
      ['notifyTasks', 'status Failed/DeadlineExceeded'],
    ],
    ['no Project: waits', { noProject: true }, ['status Waiting/UnknownProject']],
    [
      'no Project any more: its tasks say so themselves',
      { noProject: true, tasks: { one: waiting } },
      ['status~ Waiting/CapacityFull'],
    ],
    [
      'no Project and cancelled: the end',
      { noProject: true, spec: { cancel: true } },
      ['notifyTasks', 'status Cancelled/CancelledByUser'],
    ],
    [
      'no Project: looks again when its time is over',
      { noProject: true, spec: { timeoutSeconds: 5 } },
      ['status Waiting/UnknownProject'],
      5000,
    ],
    [
      'no Project and its time is over: failed',
      { noProject: true, spec: { timeoutSeconds: 5 }, now: NOW + 5000 },
      ['notifyTasks', 'status Failed/DeadlineExceeded'],
    ],
    [
      'a DAG that can never run: the end',
      { spec: { tasks: [{ name: 'a', dependsOn: ['a'] }] } },
      ['status Failed/DependencyCycle'],
    ],
    [
      'finished: stays',
      { spec: chain, status: { phase: 'Failed', finishedAt: at(0) }, tasks: { a: succeeded } },
      [],
      604_800_000,
    ],
    [
      'finished and cancelled: stays finished',
      { spec: { ...chain, cancel: true }, status: { phase: 'Succeeded', finishedAt: at(0) } },
      [],
      604_800_000,
    ],
    [
      'finished long ago: goes',
      { spec: { ttlSecondsAfterFinished: 30 }, status: { phase: 'Succeeded', finishedAt: at(-30_000) } },
      ['delete'],
    ],
    ['finished at a time nobody wrote down: stays', { status: { phase: 'Succeeded' } }, []],
    ['being deleted: its tasks are told', { meta: { deletionTimestamp: at(0) }, spec: chain }, ['notifyTasks']],
  ])('%s', (_, observed, actions, requeueAfterMs) => {
    const made = plan(observed);
    expect(summary(made)).toEqual(actions);
    expect(made.requeueAfterMs).toBe(requeueAfterMs);
  });
});

test('the same observation gives the same status: nothing is written twice', () => {
  const first = statusOf(plan({ spec: chain, tasks: { a: running } }));
  expect(statusOf(plan({ spec: chain, tasks: { a: running }, status: first, now: NOW + 5000 }))).toEqual(first);
});

describe('the AgentTask of a task', () => {
  const draft = (observed: Case) => {
    const created = plan(observed).actions.find((action) => action.do === 'create');
    return created?.tasks[0];
  };

  test('has a name that follows from Workflow and task, and belongs to the Workflow', () => {
    const made = draft({ spec: chain });
    expect(made?.metadata.name).toMatch(/^flow-a-[0-9a-f]{6}$/);
    expect(draft({ spec: chain })?.metadata.name).toBe(made?.metadata.name);
    expect(draft({ spec: chain, meta: { uid: 'another' } })?.metadata.name).not.toBe(made?.metadata.name);
    expect(made?.metadata).toMatchObject({
      namespace: 'team',
      labels: { 'millwright.dev/workflow-uid': 'uid-flow', 'millwright.dev/task': 'a' },
      ownerReferences: [{ kind: 'Workflow', name: 'flow', uid: 'uid-flow', controller: true }],
    });
  });

  test('takes over what the Workflow says for all, and neither dependsOn nor when', () => {
    const tasks = [{ name: 'a', when: "params.p == 'v'", acceptance: ['true'] }];
    const made = draft({ spec: { tasks, priority: 4, revision: 'v2', params: { p: 'v' } } });
    expect(made?.spec).toMatchObject({ priority: 4, revision: 'v2', params: { p: 'v' }, acceptance: ['true'] });
    expect(made?.spec).not.toHaveProperty('when');
    expect(made?.spec).not.toHaveProperty('dependsOn');
    expect(draft({ spec: { tasks: [{ name: 'a', priority: -1 }], priority: 4 } })?.spec.priority).toBe(-1);
  });

  test('starts from the commits of its dependencies; one that changed nothing passes on what it started from', () => {
    const workflow = aWorkflow({
      tasks: [{ name: 'a' }, { name: 'b' }, { name: 'c', dependsOn: ['a', 'b'] }],
    });
    const inherited = { name: 'root', ref: 'refs/attempts/r/1', commit: BASE };
    const changed = { ...succeeded, result: { commit: COMMIT, ref: 'refs/attempts/a/2' } };
    const children = new Map([
      ['a', aChild(workflow, 'a', changed)],
      ['b', aChild(workflow, 'b', succeeded, { dependencies: [inherited] })],
    ]);
    const made = planWorkflow({ workflow, dag: compileDag(workflow.spec), children, project: aProject() }, NOW);
    const created = made.actions.find((action) => action.do === 'create')?.tasks[0];
    expect(created?.spec.dependencies).toEqual([{ name: 'a', ref: 'refs/attempts/a/2', commit: COMMIT }, inherited]);
  });
});
