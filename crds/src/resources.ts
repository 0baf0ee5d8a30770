import type { z } from 'zod';
import { type AgentPoolSpec, type AgentPoolStatus, agentPoolSpec, agentPoolStatus } from './agent-pool.ts';
import { type AgentTaskSpec, type AgentTaskStatus, agentTaskSpec, agentTaskStatus } from './agent-task.ts';
import { type ProjectSpec, type ProjectStatus, projectSpec, projectStatus } from './project.ts';
import { API_VERSION, type CelRule, GROUP, VERSION } from './values.ts';
import { type WorkflowSpec, type WorkflowStatus, workflowSpec, workflowStatus } from './workflow.ts';

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** The part of Kubernetes' ObjectMeta that Millwright reads and writes. */
export interface ObjectMeta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
}

/** An object as the API server returns it. */
export interface Resource<Kind extends string, Spec, Status> {
  apiVersion: string;
  kind: Kind;
  metadata: ObjectMeta;
  spec: Spec;
  status?: Status;
}

export type Project = Resource<'Project', ProjectSpec, ProjectStatus>;
export type AgentPool = Resource<'AgentPool', AgentPoolSpec, AgentPoolStatus>;
export type Workflow = Resource<'Workflow', WorkflowSpec, WorkflowStatus>;
export type AgentTask = Resource<'AgentTask', AgentTaskSpec, AgentTaskStatus>;
export type MillwrightResource = Project | AgentPool | Workflow | AgentTask;

interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'date' | 'boolean';
  jsonPath: string;
  /** 1: only with -o wide. */
  priority?: 1;
  description: string;
}

/** All that makes a CustomResourceDefinition. */
export interface ResourceDefinition {
  group: typeof GROUP;
  version: typeof VERSION;
  apiVersion: typeof API_VERSION;
  kind: MillwrightResource['kind'];
  plural: string;
  singular: string;
  shortNames: string[];
  namespaced: true;
  description: string;
  spec: z.ZodType;
  status: z.ZodType;
  columns: PrinterColumn[];
  /** Rules over the whole object. */
  rules: CelRule[];
}

const common = { group: GROUP, version: VERSION, apiVersion: API_VERSION, namespaced: true } as const;
const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since creation.',
};
const column = (name: string, jsonPath: string, description: string, priority?: 1): PrinterColumn => ({
  name,
  type: 'string',
  jsonPath,
  description,
  ...(priority ? { priority } : {}),
});
const ready = column('Ready', '.status.conditions[?(@.type=="Ready")].status', 'Whether it can be used.');

/** Names become labels, branches and queue names, so they must fit a label. */
const labelSizedName: CelRule = {
  rule: 'self.metadata.name.size() <= 63',
  message: 'metadata.name must have at most 63 characters, since it becomes a label and part of a branch name',
};

export const projects = {
  ...common,
  kind: 'Project',
  plural: 'projects',
  singular: 'project',
  shortNames: ['mproj'],
  description: 'A repository, its toolchain image, and the limits for work on it.',
  spec: projectSpec,
  status: projectStatus,
  columns: [
    ready,
    column(
      'Reachable',
      '.status.conditions[?(@.type=="RepositoryReachable")].status',
      'Whether the repository can be read.',
    ),
    column('Repository', '.spec.repository.url', 'Clone URL.'),
    {
      name: 'Active',
      type: 'integer',
      jsonPath: '.status.activeWorkflows',
      description: 'Workflows that have not ended.',
    },
    column('Image', '.spec.workspace.image', 'Toolchain image.', 1),
    column('Message', '.status.message', 'What is the matter.', 1),
    age,
  ],
  rules: [labelSizedName],
} satisfies ResourceDefinition;

export const agentPools = {
  ...common,
  kind: 'AgentPool',
  plural: 'agentpools',
  singular: 'agentpool',
  shortNames: ['mpool'],
  description: 'A kind of agent: capabilities, engine, image, sandbox settings and scale.',
  spec: agentPoolSpec,
  status: agentPoolStatus,
  columns: [
    ready,
    column('Engine', '.spec.engine', 'What drives the agents.'),
    { name: 'Idle', type: 'integer', jsonPath: '.status.idle', description: 'Sandboxes ready for a task.' },
    { name: 'Busy', type: 'integer', jsonPath: '.status.busy', description: 'Sandboxes at work.' },
    { name: 'Starting', type: 'integer', jsonPath: '.status.starting', description: 'Sandboxes being started.' },
    { name: 'Waiting', type: 'integer', jsonPath: '.status.waiting', description: 'Tasks that wait for an agent.' },
    column('Capabilities', '.spec.capabilities', 'What the agents can do.', 1),
    column('Message', '.status.message', 'What is the matter.', 1),
    age,
  ],
  rules: [
    {
      rule: 'self.metadata.name.size() <= 40',
      message: 'metadata.name must have at most 40 characters, since Jobs and Secrets of the pool are named after it',
    },
  ],
} satisfies ResourceDefinition;

export const workflows = {
  ...common,
  kind: 'Workflow',
  plural: 'workflows',
  singular: 'workflow',
  shortNames: ['mwf'],
  description: 'One run of a DAG of tasks for a goal on a project.',
  spec: workflowSpec,
  status: workflowStatus,
  columns: [
    column('Phase', '.status.phase', 'Where it stands.'),
    column('Reason', '.status.reason', 'Why it is in this phase.'),
    column('Progress', '.status.progress', 'Tasks ended and in all.'),
    column('Project', '.spec.projectRef.name', 'The project.'),
    column('Duration', '.status.duration', 'From start to end.', 1),
    column('Trace', '.status.traceID', 'Trace of the run.', 1),
    column('Message', '.status.message', 'A sentence for people.', 1),
    age,
  ],
  rules: [labelSizedName],
} satisfies ResourceDefinition;

export const agentTasks = {
  ...common,
  kind: 'AgentTask',
  plural: 'agenttasks',
  singular: 'agenttask',
  shortNames: ['mtask'],
  description: 'One unit of work for one agent; owned by a Workflow, or stands alone.',
  spec: agentTaskSpec,
  status: agentTaskStatus,
  columns: [
    column('Phase', '.status.phase', 'Where it stands.'),
    column('Reason', '.status.reason', 'Why it is in this phase.'),
    column('Role', '.spec.role', 'Role of the agent.'),
    column('Try', '.status.try', 'Attempt and limit.'),
    column('Tests', '.status.tests', 'Acceptance commands passed and run.'),
    column('Cost', '.status.cost', 'Spent on models.'),
    age,
    column('Workflow', '.metadata.labels.millwright\\.dev/workflow', 'The Workflow it belongs to.', 1),
    column('Capabilities', '.spec.capabilities', 'What the agent must be able to do.', 1),
    column('Branch', '.status.branch', 'The published branch.', 1),
    column('Duration', '.status.duration', 'From start to end.', 1),
    column('Pod', '.status.agent.pod', 'Pod of the current attempt.', 1),
    column('Trace', '.status.traceID', 'Trace of the run.', 1),
    // The last, since it may be longer than a line.
    column('Message', '.status.message', 'A sentence for people.', 1),
  ],
  rules: [],
} satisfies ResourceDefinition;

/** Every resource of the group. */
export const resourceDefinitions: readonly ResourceDefinition[] = [projects, agentPools, workflows, agentTasks];
