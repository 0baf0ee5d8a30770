import type { AgentTask, Workflow } from '@millwright/crds';
import { describe, expect, test } from 'vitest';
import { KubeError, TerminalError } from '../runtime/index.ts';
import { aProject, aTask, aWorkflow, NOW } from '../testing/objects.ts';
import { compileDag } from './dag.ts';
import { type ExecuteWorkflowOptions, executeWorkflow } from './execute.ts';
import { planWorkflow } from './plan.ts';

const failure = (status: number, reason: string, detail = '') =>
  new KubeError({ status, reason, detail }, { method: 'POST', path: '/' });

/** Plans and executes a new Workflow whose only task the API server answers like this. Returns what is in the cache afterwards. */
async function executed(workflow: Workflow, answers: { create: () => Promise<AgentTask>; get?: AgentTask }) {
  const cached: AgentTask[] = [];
  const statuses: NonNullable<Workflow['status']>[] = [];
  const { actions } = planWorkflow(
    { workflow, dag: compileDag(workflow.spec), children: new Map(), project: aProject() },
    NOW,
  );
  const done = executeWorkflow(workflow, actions, {
    kube: { create: answers.create, get: async () => answers.get } as never,
    cluster: { tasks: { store: { applyWrite: (task: AgentTask) => cached.push(task) } } } as never,
    writeStatus: (async (_: Workflow, status: NonNullable<Workflow['status']>) => {
      statuses.push(status);
      return { state: 'written', object: workflow };
    }) as ExecuteWorkflowOptions['writeStatus'],
    enqueueTask: () => {},
  });
  return {
    error: await done.then(
      () => undefined,
      (error: unknown) => error,
    ),
    cached,
    statuses,
  };
}

describe('a task that exists already', () => {
  const exists = () => Promise.reject(failure(409, 'AlreadyExists'));
  const owned = (labels: Record<string, string> = {}) =>
    aTask({}, undefined, {
      name: 'flow-one',
      labels,
      ownerReferences: [{ apiVersion: 'millwright.dev/v1alpha1', kind: 'Workflow', name: 'flow', uid: 'uid-flow' }],
    });
  const next = { 'millwright.dev/shard': 'next' };
  const workflow = (labels: Record<string, string> = {}) => aWorkflow({}, { labels });

  test.each<[string, Workflow, AgentTask]>([
    ['is adopted', workflow(), owned()],
    ['is adopted in the same shard', workflow(next), owned(next)],
  ])('%s', async (_, flow, get) => {
    const { error, cached } = await executed(flow, { create: exists, get });
    expect(error).toBeUndefined();
    expect(cached).toEqual([get]);
  });

  test.each<[string, Workflow, AgentTask, string]>([
    ['of another Workflow', workflow(), aTask({}, undefined, { name: 'flow-one' }), 'belongs to something else'],
    ['of no shard', workflow(next), owned(), 'millwright.dev/shard=next --overwrite'],
    ['of another shard', workflow(), owned(next), 'millwright.dev/workflow-uid=uid-flow millwright.dev/shard-'],
  ])('is left alone when it is %s', async (_, flow, get, words) => {
    const { error, cached } = await executed(flow, { create: exists, get });
    expect(error).toBeInstanceOf(TerminalError);
    expect(String(error)).toContain(words);
    expect(cached).toEqual([]);
  });
});

describe('a task that the cluster refuses', () => {
  const detail = 'agenttasks.millwright.dev "flow-one" is forbidden: exceeded quota: team';
  const refuse = () => Promise.reject(failure(403, 'Forbidden', detail));

  test('is told in its words, and tried again', async () => {
    const { error, statuses } = await executed(aWorkflow(), { create: refuse });
    expect(error).toBeInstanceOf(KubeError);
    expect(statuses).toMatchObject([
      { phase: 'Waiting', reason: 'TaskRefused', message: `tasks cannot be created: ${detail}`, observedGeneration: 1 },
    ]);
  });

  test('is told as well when no try can help', async () => {
    const other = aTask({}, undefined, { name: 'flow-one' });
    const { statuses } = await executed(aWorkflow(), {
      create: () => Promise.reject(failure(409, 'AlreadyExists')),
      get: other,
    });
    expect(statuses).toMatchObject([{ reason: 'TaskRefused', message: expect.stringContaining('delete it') }]);
  });

  test('is not told when nobody answers', async () => {
    const { error, statuses } = await executed(aWorkflow(), { create: () => Promise.reject(failure(0, 'ECONNRESET')) });
    expect(error).toBeInstanceOf(KubeError);
    expect(statuses).toEqual([]);
  });
});
