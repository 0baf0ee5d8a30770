import { hash } from 'node:crypto';
import { type AgentTask, API_VERSION, labels, type Workflow, type WorkflowTask } from '@millwright/crds';
import type { KubeClient } from '@millwright/operator/runtime';
import { resources } from './resources.ts';
import { POOL } from './rig.ts';
import { IN_FLIGHT } from './shapes.ts';

const PER_WORKFLOW = 1000;

/**
 * Writes finished Workflows with `count` finished tasks in all, with what the operator would have left in them. The operator must not run
 * yet, or it would take the tasks for new before their status is there.
 */
export async function writeHistory(
  kube: KubeClient,
  namespace: string,
  count: number,
  report: (fraction: number) => void,
): Promise<void> {
  let written = 0;
  for (let first = 0; first < count; first += PER_WORKFLOW) {
    const names = Array.from({ length: Math.min(PER_WORKFLOW, count - first) }, (_, i) => `t${i}`);
    const workflow = await finishedWorkflow(kube, namespace, `h${first / PER_WORKFLOW}`, names);
    const left = names.values();
    const writer = async () => {
      for (const name of left) {
        await finishedTask(kube, workflow, name);
        report(++written / count);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, writer));
  }
}

async function finishedWorkflow(
  kube: KubeClient,
  namespace: string,
  name: string,
  tasks: readonly string[],
): Promise<Workflow> {
  const workflow = await kube.create(resources.workflows, {
    metadata: { name, namespace },
    spec: { projectRef: { name: 'bench' }, tasks: tasks.map(instructions) } as Workflow['spec'],
  });
  const at = new Date().toISOString();
  const total = tasks.length;
  const counts = { total, pending: 0, running: 0, succeeded: total, failed: 0, skipped: 0, cancelled: 0 };
  return kube.patchStatus(resources.workflows, workflow, {
    observedGeneration: 1,
    phase: 'Succeeded',
    reason: 'Completed',
    message: `${total} of ${total} tasks succeeded`,
    stage: 'DONE',
    progress: `${total}/${total}`,
    counts,
    branches: tasks.slice(0, 50).map((task) => `ai/generated/${name}/${task}`),
    startedAt: at,
    finishedAt: at,
    duration: '8s',
    conditions: conditions(['Accepted', 'Complete', 'Failed'], at),
  });
}

async function finishedTask(
  kube: KubeClient,
  { metadata: { name: workflow, namespace, uid } }: Workflow,
  task: string,
) {
  const created = await kube.create(resources.tasks, {
    metadata: {
      name: `${workflow}-${task}-${hash('sha256', workflow + task).slice(0, 6)}`,
      namespace,
      labels: {
        [labels.workflow]: workflow,
        [labels.workflowUid]: uid,
        [labels.task]: task,
        [labels.project]: 'bench',
      },
      ownerReferences: [{ apiVersion: API_VERSION, kind: 'Workflow', name: workflow, uid, controller: true }],
    },
    spec: { projectRef: { name: 'bench' }, priority: 0, ...instructions(task) } as AgentTask['spec'],
  });
  const at = new Date().toISOString();
  const commit = hash('sha1', created.metadata.uid);
  await kube.patchStatus(resources.tasks, created, {
    observedGeneration: 1,
    phase: 'Succeeded',
    reason: 'Completed',
    message: 'the branch is published',
    attempt: 1,
    try: '1/1',
    agent: { pool: POOL, pod: `${POOL}-1-abcde`, epoch: 1, at },
    result: { summary: 'ok  \texample.com/pkg\t0.412s', commit, base: commit, ref: `refs/attempts/${uid}/1` },
    tests: '2/2',
    branch: `ai/generated/${workflow}/${task}`,
    startedAt: at,
    finishedAt: at,
    duration: '7s',
    conditions: conditions(['Accepted', 'Dispatched', 'ChecksPassed', 'Published', 'Complete', 'Failed'], at),
  });
}

const instructions = (name: string): Partial<WorkflowTask> => ({
  name,
  capabilities: [POOL],
  command: ['sh', '-c', `go build ./... && go test -count=1 -run 'Test${name}' ./... | tee test.log`],
  acceptance: ['go vet ./...', 'go test ./...'],
});

const conditions = (types: readonly string[], at: string) =>
  types.map((type) => ({
    type,
    status: type === 'Failed' ? ('False' as const) : ('True' as const),
    reason: 'Completed',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: at,
  }));
