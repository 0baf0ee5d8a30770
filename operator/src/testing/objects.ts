import {
  type AgentPool,
  type AgentPoolSpec,
  type AgentTask,
  type AgentTaskSpec,
  type AgentTaskStatus,
  agentPoolSpec,
  agentTaskSpec,
  labels,
  type ObjectMeta,
  type Project,
  type ProjectSpec,
  projectSpec,
  type Workflow,
  type WorkflowSpec,
  type WorkflowStatus,
  workflowSpec,
} from '@millwright/crds';
import type { z } from 'zod';
import type { SandboxSettings } from '../agent-pool/job.ts';

/** The moment at which tests happen, in milliseconds since the epoch. */
export const NOW = Date.parse('2026-03-04T05:06:07.000Z');
/** RFC 3339, `ms` after NOW. */
export const at = (ms: number): string => new Date(NOW + ms).toISOString();

export const NAMESPACE = 'team';

type Meta = Partial<ObjectMeta>;

const metadata = (name: string, more: Meta = {}): ObjectMeta => ({
  name,
  namespace: NAMESPACE,
  uid: `uid-${name}`,
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: at(0),
  ...more,
});

const API_VERSION = 'millwright.dev/v1alpha1';

/** Specs go through the schemas, so that defaults are those of the API server. */
type Input<Schema extends z.ZodType> = Partial<z.input<Schema>>;

export function aProject(spec: Input<typeof projectSpec> = {}, meta: Meta = {}): Project {
  const parsed: ProjectSpec = projectSpec.parse({
    repository: { url: 'https://example.org/owner/name.git' },
    workspace: { image: 'toolchain:1' },
    ...spec,
  });
  return { apiVersion: API_VERSION, kind: 'Project', metadata: metadata('project', meta), spec: parsed };
}

export function aPool(name = 'pool', spec: Input<typeof agentPoolSpec> = {}, meta: Meta = {}): AgentPool {
  const parsed: AgentPoolSpec = agentPoolSpec.parse({ capabilities: ['node'], ...spec });
  return { apiVersion: API_VERSION, kind: 'AgentPool', metadata: metadata(name, meta), spec: parsed };
}

export type TaskInput = Omit<Input<typeof workflowSpec>, 'tasks'> & {
  tasks?: (Partial<z.input<typeof workflowSpec>['tasks'][number]> & { name: string })[];
};

/** Tasks without an instruction run `true`. */
export function aWorkflow(spec: TaskInput = {}, meta: Meta = {}, status?: WorkflowStatus): Workflow {
  const tasks = (spec.tasks ?? [{ name: 'one' }]).map((task) => ({ command: ['true'], ...task }));
  const parsed: WorkflowSpec = workflowSpec.parse({ projectRef: { name: 'project' }, ...spec, tasks });
  return {
    apiVersion: API_VERSION,
    kind: 'Workflow',
    metadata: metadata('flow', meta),
    spec: parsed,
    ...(status ? { status } : {}),
  };
}

export function aTask(spec: Input<typeof agentTaskSpec> = {}, status?: AgentTaskStatus, meta: Meta = {}): AgentTask {
  const parsed: AgentTaskSpec = agentTaskSpec.parse({
    projectRef: { name: 'project' },
    ...(spec.prompt === undefined ? { command: ['true'] } : {}),
    ...spec,
  });
  return {
    apiVersion: API_VERSION,
    kind: 'AgentTask',
    metadata: metadata('task', meta),
    spec: parsed,
    ...(status ? { status } : {}),
  };
}

/** The AgentTask that stands for a task of a Workflow. */
export function aChild(workflow: Workflow, name: string, status?: AgentTaskStatus, spec = {}): AgentTask {
  return aTask(spec, status, {
    name: `${workflow.metadata.name}-${name}`,
    uid: `uid-${workflow.metadata.name}-${name}`,
    labels: {
      [labels.workflow]: workflow.metadata.name,
      [labels.workflowUid]: workflow.metadata.uid,
      [labels.task]: name,
    },
    ownerReferences: [
      { apiVersion: API_VERSION, kind: 'Workflow', name: workflow.metadata.name, uid: workflow.metadata.uid },
    ],
  });
}

export const COMMIT = 'c0ffee'.repeat(7).slice(0, 40);
export const BASE = 'ba5e'.repeat(10);

/** Status of a task that an agent holds since NOW. */
export const runningOn = (pod: string, more: AgentTaskStatus = {}): AgentTaskStatus => ({
  observedGeneration: 1,
  phase: 'Running',
  reason: 'AgentRunning',
  attempt: 1,
  agent: { pool: 'pool', pod, epoch: 1, at: at(0) },
  startedAt: at(0),
  ...more,
});

/** Status of a task whose result is being verified by `verifier`, or waits for one. */
export const verifyingOn = (verifier: string | undefined, more: AgentTaskStatus = {}): AgentTaskStatus => ({
  ...runningOn('runner', { result: { commit: COMMIT, ref: 'refs/attempts/uid-task/1' } }),
  phase: 'Verifying',
  reason: 'RunningAcceptance',
  ...(verifier === undefined ? {} : { verifier: { pool: 'pool', pod: verifier, epoch: 1, at: at(0) } }),
  ...more,
});

export const SANDBOX_SETTINGS: SandboxSettings = {
  agentImage: 'agent:1',
  imagePullPolicy: 'Never',
  imagePullSecrets: [],
  logLevel: 'info',
  ttlSecondsAfterFinished: 60,
};
