import { z } from 'zod';
import { exactlyOneInstruction, taskFields } from './agent-task.ts';
import { stages, workflowPhases } from './reasons.ts';
import {
  commitHash,
  conditions,
  DEFAULT_TTL_SECONDS,
  dnsLabel,
  fields,
  integer,
  localRef,
  observedGeneration,
  rules,
  text,
  time,
  timeToLive,
  traceID,
} from './values.ts';

/** The largest DAG: 2,000 tasks at a typical size stay well under the object size limit of etcd. */
export const MAX_TASKS = 2000;

export const workflowTask = fields({
  name: dnsLabel.meta({ description: 'Name of the task, unique in the Workflow.' }),
  dependsOn: z
    .array(dnsLabel)
    .max(256)
    .optional()
    .meta({ description: 'Tasks that must have ended before this one starts.', 'x-kubernetes-list-type': 'set' }),
  when: text(1024).min(1).optional().meta({
    description:
      "Condition evaluated when all dependencies have ended, for example tasks.lint.phase == 'Failed' || params.force == 'yes'. Default: all dependencies succeeded.",
  }),
  ...taskFields,
  // A task is one thing to who applies it: a record of who set each of its fields would be as large as the task.
}).meta({ ...rules(exactlyOneInstruction), 'x-kubernetes-map-type': 'atomic' });
export type WorkflowTask = z.infer<typeof workflowTask>;

export const workflowSpec = fields({
  projectRef: localRef('Project'),
  goal: text(4096).optional().meta({ description: 'What the Workflow is for, in a sentence or two.' }),
  revision: text(255)
    .min(1)
    .optional()
    .meta({ description: "Branch, tag or commit to start from. Default: the project's branch." }),
  params: z
    .record(
      z
        .string()
        .max(63)
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
      z.string().max(4096),
    )
    .optional()
    .meta({ description: 'Values for conditions (params.<name>) and commands (MILLWRIGHT_PARAM_<NAME>).' }),
  tasks: z
    .array(workflowTask)
    .min(1)
    .max(MAX_TASKS)
    .meta({
      description: 'The tasks; their dependsOn make the DAG.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    }),
  parallelism: integer(1, MAX_TASKS)
    .optional()
    .meta({ description: 'Tasks of this Workflow at work at the same time.' }),
  priority: integer(-1000, 1000)
    .default(0)
    .meta({ description: 'Higher goes first, across Workflows of the cluster.' }),
  suspend: z.boolean().default(false).meta({ description: 'true: no new task starts until it is false again.' }),
  cancel: z.boolean().default(false).meta({ description: 'true: ends all tasks. Cannot be taken back.' }),
  timeoutSeconds: integer(1, 2_592_000).optional().meta({ description: 'Time limit of the whole Workflow.' }),
  ttlSecondsAfterFinished: timeToLive.default(DEFAULT_TTL_SECONDS).meta({
    description:
      'Seconds after its end until the Workflow and its tasks are deleted from the cluster; the history stays.',
  }),
}).meta(
  rules(
    { rule: '!oldSelf.cancel || self.cancel', message: 'cancel cannot be taken back: create the Workflow anew' },
    {
      rule: 'self.projectRef == oldSelf.projectRef',
      message: 'projectRef cannot change: create another Workflow',
      fieldPath: '.projectRef',
    },
    {
      rule: 'self.tasks == oldSelf.tasks',
      message: 'tasks of a Workflow cannot change: create another Workflow',
      fieldPath: '.tasks',
    },
  ),
);
export type WorkflowSpec = z.infer<typeof workflowSpec>;

export const taskCounts = z.object({
  total: integer(0, MAX_TASKS).meta({ description: 'Tasks in all.' }),
  pending: integer(0, MAX_TASKS).meta({ description: 'Tasks that wait: for others, or for an agent.' }),
  running: integer(0, MAX_TASKS).meta({ description: 'Tasks that are run or verified.' }),
  succeeded: integer(0, MAX_TASKS).meta({ description: 'Tasks that succeeded.' }),
  failed: integer(0, MAX_TASKS).meta({ description: 'Tasks that failed.' }),
  skipped: integer(0, MAX_TASKS).meta({ description: 'Tasks that will never run.' }),
  cancelled: integer(0, MAX_TASKS).meta({ description: 'Tasks that were cancelled.' }),
});
export type TaskCounts = z.infer<typeof taskCounts>;

const taskBrief = z.object({
  name: text(63).meta({ description: 'Name of the task in the Workflow.' }),
  phase: text(32).meta({ description: 'Phase of its AgentTask.' }),
  reason: text(64).optional().meta({ description: 'One word for why it is in this phase.' }),
  message: text(512).optional().meta({ description: 'A sentence for people.' }),
});

const skippedTask = z.object({
  name: text(63).meta({ description: 'Name of the task in the Workflow.' }),
  reason: text(64).meta({ description: 'ConditionFalse (when was false) or DependenciesNotMet.' }),
  message: text(128).optional().meta({ description: 'The condition, or the dependency that did not succeed.' }),
});

export const workflowStatus = z.object({
  observedGeneration: observedGeneration.optional(),
  phase: z
    .enum(workflowPhases)
    .optional()
    .meta({ description: 'Where the Workflow stands. Succeeded, Failed and Cancelled are ends.' }),
  reason: text(64).optional().meta({ description: 'One word for why it is in this phase.' }),
  message: text(1024).optional().meta({ description: 'A sentence for people: why, and what to change.' }),
  stage: z
    .enum(stages)
    .optional()
    .meta({ description: 'BUILD while it goes on, DONE at its end; the others are not used yet.' }),
  progress: text(16).optional().meta({ description: 'Tasks ended and in all, ready to print: 4/7.' }),
  counts: taskCounts.optional().meta({ description: 'How many tasks there are, by where they stand.' }),
  active: z
    .array(taskBrief)
    .max(50)
    .optional()
    .meta({ description: 'Tasks that have started and not ended, at most 50.' }),
  failures: z.array(taskBrief).max(20).optional().meta({ description: 'Tasks that failed, at most 20.' }),
  skipped: z.array(skippedTask).max(50).optional().meta({
    description:
      'Tasks that will never run, and so have no AgentTask: a dependency did not succeed, or when was false. At most 50.',
  }),
  branches: z.array(text(255)).max(50).optional().meta({ description: 'Published branches, at most 50.' }),
  traceID: traceID.optional(),
  headSHA: commitHash.optional().meta({ description: 'The commit of the last task, when a single task ends the DAG.' }),
  startedAt: time.optional().meta({ description: 'When it was created.' }),
  finishedAt: time.optional().meta({
    description: "When it ended, however it ended: kubectl wait --for=jsonpath='{.status.finishedAt}' waits for it.",
  }),
  duration: text(32).optional().meta({ description: 'From start to end, ready to print.' }),
  conditions: conditions.optional().meta({
    description:
      'Accepted: it can be run. Complete and Failed are set at the end, one of them True: Complete when it succeeded, else Failed.',
  }),
});
export type WorkflowStatus = z.infer<typeof workflowStatus>;
