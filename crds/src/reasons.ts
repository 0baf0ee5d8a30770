/**
 * Phases, reasons and condition types: the words users script against. A constant here is API: it is never renamed.
 */

export const workflowPhases = ['Pending', 'Running', 'Waiting', 'Succeeded', 'Failed', 'Cancelled'] as const;
export type WorkflowPhase = (typeof workflowPhases)[number];

export const taskPhases = ['Pending', 'Waiting', 'Running', 'Verifying', 'Succeeded', 'Failed', 'Cancelled'] as const;
export type TaskPhase = (typeof taskPhases)[number];

const finished: ReadonlySet<string> = new Set(['Succeeded', 'Failed', 'Cancelled']);
/** Whether a Workflow or task in this phase has ended: such an object never restarts. */
export const isFinished = (phase: string | undefined): boolean => phase !== undefined && finished.has(phase);

export const stages = [
  'NEW',
  'DISCOVERY',
  'PLANNING',
  'DESIGN',
  'BUILD',
  'TEST',
  'REVIEW',
  'DEPLOY',
  'MONITOR',
  'DONE',
] as const;

/** Who is to blame for a failed attempt, and so what happens next (the failure taxonomy). */
export const failureClasses = ['infrastructure', 'provider', 'agent', 'verification', 'governance'] as const;
export type FailureClass = (typeof failureClasses)[number];

export const reasons = {
  /** No enabled pool of the namespace offers the required capabilities, engine and image. */
  NoCapablePool: 'NoCapablePool',
  /** Every sandbox that could run the task is busy and the pools are at their maximum. */
  CapacityFull: 'CapacityFull',
  /** The project's or the Workflow's limit of parallel tasks is reached. */
  ParallelismLimit: 'ParallelismLimit',
  /** Published to the broker, not yet claimed by an agent. */
  Queued: 'Queued',
  /** A failed attempt is to be repeated at `status.nextAttemptAt`. */
  BackingOff: 'BackingOff',
  /** The Workflow is suspended. */
  Suspended: 'Suspended',
  /** An agent is at work. */
  AgentRunning: 'AgentRunning',
  /** The acceptance commands wait for, or run in, a fresh sandbox. */
  RunningAcceptance: 'RunningAcceptance',
  /** The branch is being published, or waits for a forge that does not take it for now. */
  Publishing: 'Publishing',
  /** All went well. */
  Completed: 'Completed',
  /** The command succeeded and changed nothing, so there is nothing to publish. */
  NoChangesNeeded: 'NoChangesNeeded',
  /** The command ended with a non-zero exit code. */
  CommandFailed: 'CommandFailed',
  /** An acceptance command failed in the fresh sandbox. */
  TestsFailed: 'TestsFailed',
  /** The commits of two dependencies contradict each other. */
  MergeConflict: 'MergeConflict',
  /** The repository or the revision could not be checked out. */
  CheckoutFailed: 'CheckoutFailed',
  /** A setup command of the project failed. */
  SetupFailed: 'SetupFailed',
  /** The sandbox could not push the commit to the git host. */
  PublishFailed: 'PublishFailed',
  /** The branch cannot be published as things are: a rule, a right or the Project has to change; the message says which. */
  PublishRefused: 'PublishRefused',
  /** The commit changes what the policy of the Project does not let agents change; the message says what, and what to do about it. */
  Fenced: 'Fenced',
  /** Every allowed attempt was used. */
  AttemptsExhausted: 'AttemptsExhausted',
  /** The sandbox ended, or fell silent, without a result. */
  SandboxLost: 'SandboxLost',
  /** The cluster evicted the sandbox. */
  Evicted: 'Evicted',
  /** An image cannot be pulled. */
  ImagePull: 'ImagePull',
  /** The sandbox lost the broker for longer than the grace period. */
  BrokerLost: 'BrokerLost',
  /** The time limit of the task passed. */
  DeadlineExceeded: 'DeadlineExceeded',
  /** The agent's answer could not be understood. */
  InvalidOutput: 'InvalidOutput',
  /** Someone cancelled it. */
  CancelledByUser: 'CancelledByUser',
  /** The Workflow it belongs to was cancelled or is gone. */
  CancelledByWorkflow: 'CancelledByWorkflow',
  /** `spec.projectRef` names no Project of the namespace. */
  UnknownProject: 'UnknownProject',
  /** The Project has `enabled: false`. */
  ProjectDisabled: 'ProjectDisabled',
  /** The spec contradicts itself in a way that the API server cannot see; the message says what to change. */
  InvalidSpec: 'InvalidSpec',
  /** Tasks depend on each other in a circle; the message spells it out. */
  DependencyCycle: 'DependencyCycle',
  /** `dependsOn` names a task that the Workflow does not have. */
  UnknownDependency: 'UnknownDependency',
  /** What conditions see of a task that was skipped: `when` was false, or a dependency did not succeed. */
  Skipped: 'Skipped',
  /** Skipped: `when` was false. */
  ConditionFalse: 'ConditionFalse',
  /** Skipped: it has no `when`, and a dependency did not succeed. */
  DependenciesNotMet: 'DependenciesNotMet',
  /** At least one task failed. */
  TaskFailed: 'TaskFailed',
  /** Tasks are at work. */
  InProgress: 'InProgress',
  Accepted: 'Accepted',
  /** The pool has `enabled: false`. */
  Disabled: 'Disabled',
  /** The repository can be read, and has the default branch. */
  Reachable: 'Reachable',
  /** There is no such repository, or it is not shown to the Project's credentials. */
  RepositoryNotFound: 'RepositoryNotFound',
  /** The default branch is not in the repository. */
  BranchNotFound: 'BranchNotFound',
  /** A glob of `spec.policy.paths` is wrong, so every change would be refused. */
  PolicyInvalid: 'PolicyInvalid',
  /** The Secret with the credentials is not there, or is not what it should be. */
  CredentialsMissing: 'CredentialsMissing',
  /** The forge wants credentials, or does not take those that it was given. */
  CredentialsRefused: 'CredentialsRefused',
  /** The name of the repository's host does not resolve. */
  UnknownHost: 'UnknownHost',
  /** What answers at the URL is no repository that can be used. */
  RepositoryUnusable: 'RepositoryUnusable',
  /** The forge does not work for now. */
  RepositoryUnavailable: 'RepositoryUnavailable',
  /** Nobody could look at the repository: no git host answers, or it cannot read the Project for now. */
  NotProbed: 'NotProbed',
  /** Broker user, Secret or NetworkPolicy of a pool could not be made; the message has the words of who refused. */
  NotPrepared: 'NotPrepared',
  /** The cluster does not take the Job of a sandbox: a quota, a webhook, a right; the message has its words. */
  SandboxRefused: 'SandboxRefused',
  /** The cluster does not take the AgentTask of a Workflow; the message has its words. */
  TaskRefused: 'TaskRefused',
  /** Of a pool: sandboxes can be started. Of a Project: tasks can. */
  Ready: 'Ready',
} as const;
export type Reason = (typeof reasons)[keyof typeof reasons];

export const conditionTypes = {
  Accepted: 'Accepted',
  DependenciesMet: 'DependenciesMet',
  Dispatched: 'Dispatched',
  SandboxReady: 'SandboxReady',
  ChecksPassed: 'ChecksPassed',
  Published: 'Published',
  Complete: 'Complete',
  Failed: 'Failed',
  Ready: 'Ready',
  RepositoryReachable: 'RepositoryReachable',
} as const;

/** Labels and annotations that Millwright sets and reads. */
export const labels = {
  workflow: 'millwright.dev/workflow',
  workflowUid: 'millwright.dev/workflow-uid',
  task: 'millwright.dev/task',
  project: 'millwright.dev/project',
  pool: 'millwright.dev/pool',
  component: 'millwright.dev/component',
  /** Which operator of the cluster looks at the object; without it, the one without a shard. */
  shard: 'millwright.dev/shard',
} as const;

export const annotations = {
  traceparent: 'millwright.dev/traceparent',
  /** Workspace image a sandbox was started with. */
  image: 'millwright.dev/workspace-image',
  /** Hash of what a sandbox was made from: one of another hash is replaced while it idles. */
  revision: 'millwright.dev/sandbox-revision',
} as const;
