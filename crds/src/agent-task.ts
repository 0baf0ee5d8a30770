import { z } from 'zod';
import { findings } from './policy.ts';
import { workspace } from './project.ts';
import { failureClasses, taskPhases } from './reasons.ts';
import {
  type CelRule,
  capabilities,
  commitHash,
  conditions,
  DEFAULT_TTL_SECONDS,
  digest,
  dnsLabel,
  fields,
  integer,
  localRef,
  observedGeneration,
  rules,
  shellLine,
  text,
  time,
  timeToLive,
  traceID,
  uid,
} from './values.ts';

/** What every task has, whether it stands alone or in a Workflow. */
export const taskFields = {
  role: dnsLabel
    .optional()
    .meta({ description: 'Role the agent plays, for example coder. Shown, and matched with roles of pools.' }),
  capabilities: capabilities
    .optional()
    .meta({ description: 'What the agent must be able to do; a pool matches when it offers all of them.' }),
  prompt: text(32_768).min(1).optional().meta({ description: 'What a model-driven agent is to do. Excludes command.' }),
  command: z
    .array(z.string().max(8192))
    .min(1)
    .max(64)
    .optional()
    .meta({ description: 'Program and arguments to run in the workspace. Excludes prompt.' }),
  acceptance: z.array(shellLine).max(32).optional().meta({
    description: 'Shell commands that verification runs on the produced commit in a fresh sandbox; all must exit 0.',
  }),
  priority: integer(-1000, 1000)
    .optional()
    .meta({ description: 'Higher goes first. Default: that of the Workflow, else 0.' }),
  timeoutSeconds: integer(1, 86_400).default(3600).meta({ description: 'Time limit of one attempt, in seconds.' }),
  retry: fields({
    maxAttempts: integer(1, 20).default(1).meta({
      description: 'Attempts in all. Failures of the infrastructure are counted apart and do not use them up.',
    }),
    backoff: fields({
      baseSeconds: integer(0, 3600)
        .default(5)
        .meta({ description: 'Upper bound of the first delay; doubles with each attempt.' }),
      maxSeconds: integer(0, 86_400).default(300).meta({ description: 'Upper bound of any delay.' }),
    })
      .default({ baseSeconds: 5, maxSeconds: 300 })
      .meta({ description: 'Delay before the next attempt: random between 0 and the bound (full jitter).' }),
  })
    .default({ maxAttempts: 1, backoff: { baseSeconds: 5, maxSeconds: 300 } })
    .meta({ description: 'What happens after a failed attempt.' }),
  workspace: workspace.optional().meta({ description: "Overrides the project's workspace, field by field." }),
};

/** The rule shared by AgentTask specs and the tasks of a Workflow. */
export const exactlyOneInstruction: CelRule = {
  rule: 'has(self.prompt) != has(self.command)',
  message: 'set exactly one of prompt (model-driven agents) and command (runner agents)',
};

/** A commit to start from besides the base: the result of a task this one depends on. */
const dependency = z.object({
  name: dnsLabel.meta({ description: 'Name of the task in the Workflow.' }),
  ref: text(255).meta({ description: 'Ref of the attempt that produced the commit.' }),
  commit: commitHash.meta({ description: 'The commit.' }),
});

export const agentTaskSpec = fields({
  projectRef: localRef('Project'),
  revision: text(255)
    .min(1)
    .optional()
    .meta({ description: "Branch, tag or commit to start from. Default: the project's branch." }),
  ...taskFields,
  dependencies: z
    .array(dependency)
    .max(256)
    .optional()
    .meta({ description: 'Results merged into the checkout before the task starts; set by the Workflow.' }),
  params: z.record(z.string().max(63), z.string().max(4096)).optional().meta({
    description: "The Workflow's params; commands see each as MILLWRIGHT_PARAM_<NAME>.",
  }),
  ttlSecondsAfterFinished: timeToLive.optional().meta({
    description: `Seconds after its end until a task that stands alone is deleted from the cluster; its history stays. Default: ${DEFAULT_TTL_SECONDS}. One of a Workflow goes with it.`,
  }),
  suspend: z.boolean().optional().meta({ description: 'true: no new attempt starts.' }),
  cancel: z
    .boolean()
    .optional()
    .meta({ description: 'true: ends the task, with a grace period for work in progress.' }),
}).meta(
  rules(
    exactlyOneInstruction,
    {
      rule: '!has(oldSelf.cancel) || !oldSelf.cancel || (has(self.cancel) && self.cancel)',
      message: 'cancel cannot be taken back: create the task anew',
    },
    {
      rule: "['prompt', 'command', 'projectRef'].all(f, f == 'prompt' ? (has(self.prompt) == has(oldSelf.prompt) && (!has(self.prompt) || self.prompt == oldSelf.prompt)) : f == 'command' ? (has(self.command) == has(oldSelf.command) && (!has(self.command) || self.command == oldSelf.command)) : self.projectRef == oldSelf.projectRef)",
      message: 'prompt, command and projectRef cannot change: create another task',
    },
  ),
);
export type AgentTaskSpec = z.infer<typeof agentTaskSpec>;

export const artifactRef = z.object({
  name: text(128).min(1).meta({ description: 'What it is, for example log.' }),
  digest: digest.meta({ description: 'Under which it is stored; the gateway serves it at /artifacts/<digest>.' }),
  mediaType: text(128).optional().meta({ description: 'Media type of the content.' }),
  bytes: integer(0, Number.MAX_SAFE_INTEGER).optional().meta({ description: 'Size in bytes.' }),
});
export type ArtifactRef = z.infer<typeof artifactRef>;

/** What an attempt produced. */
export const taskResult = z.object({
  summary: text(2048).optional().meta({
    description:
      'Last lines of the output of the command, or of the acceptance command that failed; or what the agent says it did.',
  }),
  commit: commitHash.optional().meta({ description: 'The produced commit; absent when nothing changed.' }),
  base: commitHash.optional().meta({ description: 'The commit the work started from.' }),
  ref: text(255).optional().meta({ description: 'Ref of the attempt that holds the commit.' }),
  artifacts: z
    .array(artifactRef)
    .max(32)
    .optional()
    .meta({ description: 'Files that were stored, such as the whole output.' }),
  findings: findings.optional().meta({
    description: 'What a person should look at in the published commit; the last may say how many more there are.',
  }),
});
export type TaskResult = z.infer<typeof taskResult>;

const attemptRecord = z.object({
  attempt: integer(1, 1_000).meta({ description: 'Number of the attempt, from 1.' }),
  outcome: z.enum(['Succeeded', 'Failed', 'Cancelled']).meta({ description: 'How it ended.' }),
  class: z
    .enum(failureClasses)
    .optional()
    .meta({ description: 'Who is to blame for a failure, which decides what follows.' }),
  reason: text(64).meta({ description: 'One word for why it ended so.' }),
  message: text(512).optional().meta({ description: 'A sentence for people.' }),
  pod: text(253).optional().meta({ description: 'Pod that ran it.' }),
  startedAt: time.optional().meta({ description: 'When its claim was granted.' }),
  finishedAt: time.meta({ description: 'When it ended.' }),
});
export type AttemptRecord = z.infer<typeof attemptRecord>;

export const agentRef = z.object({
  pool: text(253).meta({ description: 'The AgentPool.' }),
  pod: text(253).meta({ description: 'The pod.' }),
});
export type AgentRef = z.infer<typeof agentRef>;

/** A granted claim: who holds it, and the leader's epoch at the grant, which fences results. */
const claim = agentRef.extend({
  epoch: integer(0, Number.MAX_SAFE_INTEGER).meta({
    description: 'Term of the leader that granted the claim; results carry it.',
  }),
  at: time.meta({ description: 'When the claim was granted.' }),
});

export const agentTaskStatus = z.object({
  observedGeneration: observedGeneration.optional(),
  phase: z
    .enum(taskPhases)
    .optional()
    .meta({ description: 'Where the task stands. Succeeded, Failed and Cancelled are ends.' }),
  reason: text(64).optional().meta({ description: 'One word for why the task is in this phase.' }),
  message: text(1024).optional().meta({ description: 'A sentence for people: why, and what to change.' }),
  attempt: integer(0, 1_000).optional().meta({ description: 'Number of the current attempt, from 1.' }),
  infrastructureFailures: integer(0, 1_000).optional().meta({ description: 'Attempts lost to the infrastructure.' }),
  try: text(16).optional().meta({ description: 'Attempt and limit, ready to print: 1/3.' }),
  agent: claim.optional().meta({ description: 'Who runs, or ran, the current attempt.' }),
  verifier: claim.optional().meta({ description: 'Who verifies, or verified, the current attempt.' }),
  nextAttemptAt: time.optional().meta({ description: 'When a failed attempt is repeated.' }),
  history: z.array(attemptRecord).max(10).optional().meta({ description: 'The last attempts that ended.' }),
  result: taskResult.optional().meta({ description: 'What the current attempt produced.' }),
  publishing: z
    .object({
      failures: integer(1, 1_000_000).meta({ description: 'Tries that failed so far.' }),
      nextAt: time.meta({ description: 'When it is tried again.' }),
      credentialsRefusedSince: time
        .optional()
        .meta({ description: 'Since when the forge has refused the credentials; after an hour the task fails.' }),
    })
    .optional()
    .meta({ description: 'The result is there and could not be published yet; publishing is tried again.' }),
  tests: text(32).optional().meta({ description: 'Acceptance commands passed and run, ready to print: 3/3.' }),
  branch: text(255).optional().meta({ description: 'The published branch.' }),
  cost: text(32).optional().meta({ description: 'Spent on models, ready to print; empty where none was asked.' }),
  queuedAt: time.optional().meta({ description: 'Since when it has waited: its creation.' }),
  startedAt: time.optional().meta({ description: 'When the first attempt started.' }),
  finishedAt: time.optional().meta({
    description: "When it ended, however it ended: kubectl wait --for=jsonpath='{.status.finishedAt}' waits for it.",
  }),
  duration: text(32).optional().meta({ description: 'From start to end, ready to print.' }),
  traceID: traceID.optional(),
  conditions: conditions.optional().meta({
    description:
      'Accepted: it can be run. Dispatched: an agent has it. ChecksPassed: of its acceptance commands. Published: its branch is on the forge. Complete and Failed are set at the end, one of them True: Complete when it succeeded, else Failed.',
  }),
});
export type AgentTaskStatus = z.infer<typeof agentTaskStatus>;

/** Identity of a task in messages and on the gateway. */
export const taskIdentity = z.object({ uid, namespace: text(63).min(1), name: text(253).min(1) });
export type TaskIdentity = z.infer<typeof taskIdentity>;
