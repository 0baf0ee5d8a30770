/**
 * What travels over RabbitMQ. Every message is validated on both ends and stays under 64 KiB: what is bigger goes by artifact digest. A field
 * may be added at any time if it is optional: a reader of the version before leaves it out.
 */
import { z } from 'zod';
import { artifactRef, taskIdentity } from './agent-task.ts';
import { findings } from './policy.ts';
import { failureClasses } from './reasons.ts';
import { capabilities, commitHash, condition, integer, shellLine, text, time } from './values.ts';

export const MAX_MESSAGE_BYTES = 65_536;

/** Work queues that an agent can be told of in one message. */
export const MAX_QUEUES = 256;

/** `run` does the task, `verify` runs its acceptance commands on the produced commit. */
export const workKind = z.enum(['run', 'verify']);
export type WorkKind = z.infer<typeof workKind>;

/** Which attempt of a task is meant. */
export const attemptNumber = integer(1, 1_000);

const epoch = integer(0, Number.MAX_SAFE_INTEGER);
const pod = text(253).min(1);

/** Fencing token, opaque to agents: `<task uid>.<attempt>.<kind>.<epoch>.<signature>`. Echoed with everything after the grant. */
export const fencingToken = z.string().min(1).max(256);

/** On `work.*`: an attempt waits for an agent. Everything else comes with the grant. */
export const workMessage = z.strictObject({
  type: z.literal('work'),
  kind: workKind,
  task: taskIdentity,
  attempt: attemptNumber,
  capabilities,
});
export type WorkMessage = z.infer<typeof workMessage>;

/** On `millwright.results`: an agent asks for the attempt it was delivered. Answered on the message's `replyTo`. */
export const claimMessage = z.strictObject({
  type: z.literal('claim'),
  kind: workKind,
  task: taskIdentity,
  attempt: attemptNumber,
  agent: z.strictObject({ pool: text(253).min(1), pod }),
});
export type ClaimMessage = z.infer<typeof claimMessage>;

const commands = z.strictObject({
  setup: z.array(shellLine).max(32),
  /** For `run`: program and arguments. */
  command: z.array(z.string().max(8192)).max(64).optional(),
  /** For `run` on a model. */
  prompt: text(32_768).optional(),
  /** For `verify`: shell lines. */
  acceptance: z.array(shellLine).max(32),
});

/** The answer to a claim that won: all an agent needs for the attempt. */
export const grantMessage = z.strictObject({
  type: z.literal('grant'),
  kind: workKind,
  task: taskIdentity,
  attempt: attemptNumber,
  token: fencingToken,
  /** Bearer token for git on the gateway, the only one that the workspace sees. Valid until the deadline plus a grace period. */
  gitToken: text(4096),
  /** The same for artifacts; it stays with the agent. */
  artifactToken: text(4096),
  deadline: time,
  timeoutSeconds: integer(1, 86_400),
  git: z.strictObject({
    /** Smart HTTP URL of the project's mirror. */
    url: text(2048),
    /** Ref that the gateway pins to one commit for the whole Workflow. */
    baseRef: text(255),
    /** Commits of dependencies, merged in this order. */
    dependencies: z.array(z.strictObject({ name: text(63), ref: text(255), commit: commitHash })).max(256),
    /** For `verify`: the produced commit, and the ref that holds it. */
    commit: commitHash.optional(),
    /** Where the attempt's commit is pushed. */
    pushRef: text(255),
    author: z.strictObject({ name: text(128), email: text(254) }),
    /** Commit message with provenance trailers. */
    message: text(4096),
  }),
  /** Base URL for uploads: `PUT <url>/<digest>`. */
  artifactsUrl: text(2048),
  commands,
  env: z.array(z.strictObject({ name: text(128), value: text(4096) })).max(256),
});
export type GrantMessage = z.infer<typeof grantMessage>;

/** The answer to a claim that lost: acknowledge the delivery and take the next. */
export const dropMessage = z.strictObject({
  type: z.literal('drop'),
  task: taskIdentity,
  attempt: attemptNumber,
  reason: text(256),
});
export type DropMessage = z.infer<typeof dropMessage>;

export const claimReply = z.discriminatedUnion('type', [grantMessage, dropMessage]);
export type ClaimReply = z.infer<typeof claimReply>;

/**
 * On `millwright.results`, with `replyTo`: an agent has started (or has come back after it lost the broker) and asks which work queues
 * to consume. It has subscribed to `millwright.agents` before, so it misses no change that comes after the answer.
 */
export const helloMessage = z.strictObject({
  type: z.literal('hello'),
  namespace: text(63).min(1),
  agent: z.strictObject({ pool: text(253).min(1), pod }),
  /** Workspace image the sandbox was started with. */
  image: text(512),
});
export type HelloMessage = z.infer<typeof helloMessage>;

/** The answer to a hello. `drain`: the agent is no longer wanted and exits. */
export const welcomeMessage = z.strictObject({
  type: z.literal('welcome'),
  queues: z.array(text(255)).max(MAX_QUEUES),
  drain: z.boolean(),
});
export type WelcomeMessage = z.infer<typeof welcomeMessage>;

/** On `millwright.results`, every 10 seconds while an attempt runs. */
export const heartbeatMessage = z.strictObject({
  type: z.literal('heartbeat'),
  task: taskIdentity,
  attempt: attemptNumber,
  token: fencingToken,
});
export type HeartbeatMessage = z.infer<typeof heartbeatMessage>;

const outcome = {
  outcome: z.enum(['succeeded', 'failed', 'cancelled']),
  class: z.enum(failureClasses).optional(),
  reason: text(64).optional(),
  message: text(1024).optional(),
};

/** What an agent does in an attempt or a verification, one after the other. */
export const attemptStep = z.strictObject({
  name: z.enum(['checkout', 'setup', 'work', 'push', 'verify', 'upload']),
  status: z.enum(['succeeded', 'failed']),
  seconds: z.number().min(0).max(1_000_000),
});
export type AttemptStep = z.infer<typeof attemptStep>;

/** On `millwright.results`: how an attempt, or its verification, ended. */
export const resultMessage = z.strictObject({
  type: z.literal('result'),
  kind: workKind,
  task: taskIdentity,
  attempt: attemptNumber,
  token: fencingToken,
  ...outcome,
  exitCode: z.int().optional(),
  summary: text(2048).optional(),
  /** The commit the work started from. */
  base: commitHash.optional(),
  /** The produced commit; absent when nothing changed. */
  commit: commitHash.optional(),
  /** For `verify`: acceptance commands passed and in all. */
  tests: z.strictObject({ passed: integer(0, 10_000), total: integer(0, 10_000) }).optional(),
  artifacts: z.array(artifactRef).max(32).optional(),
  /** For measurements only; in their order. */
  steps: z.array(attemptStep).max(16).optional(),
  startedAt: time,
  finishedAt: time,
});
export type ResultMessage = z.infer<typeof resultMessage>;

/** How many tries at this effect had failed when it was sent: an answer that comes twice tells of one failure. */
const retry = integer(0, 1_000_000);

/** On `millwright.effects`: decided by the operator, done once by the publisher. Identity: `<task uid>:<attempt>:branch`. */
export const publishBranchMessage = z.strictObject({
  type: z.literal('publishBranch'),
  id: text(256).min(1),
  task: taskIdentity,
  attempt: attemptNumber,
  retry: retry.default(0),
  epoch,
  project: text(253).min(1),
  /** Ref on the mirror that holds the commit. */
  ref: text(255),
  commit: commitHash,
  /**
   * Ref on the mirror that is pinned to what the Workflow started from: what the commit changes is judged against it. Without it, from an operator
   * of the version before, nothing is published yet.
   */
  base: text(255).optional(),
  branch: text(255).min(1),
  /**
   * What the branch may point to when this is the first try: nothing, or a commit of this committer (an e-mail address) whose message has
   * all these lines. Anything else is somebody's work.
   */
  replaces: z.strictObject({ committer: text(254).min(1), lines: z.array(text(512).min(1)).min(1).max(8) }),
});
export const effectMessage = z.discriminatedUnion('type', [publishBranchMessage]);
export type PublishBranchMessage = z.infer<typeof publishBranchMessage>;
export type EffectMessage = z.infer<typeof effectMessage>;

/**
 * Why an effect failed. `temporary`: it may work later; `credentials`: it works once the credentials are replaced, which may happen any
 * moment; `permanent`: something else has to change.
 */
export const effectFailures = ['temporary', 'credentials', 'permanent'] as const;
export type EffectFailure = (typeof effectFailures)[number];

/** On `millwright.answers`: what came of an effect. */
export const effectResultMessage = z.strictObject({
  type: z.literal('effectResult'),
  id: text(256).min(1),
  task: taskIdentity,
  attempt: attemptNumber,
  /** That of the effect; a publisher of the version before does not tell it. */
  retry: retry.optional(),
  ok: z.boolean(),
  /** What can be done about it when it is not `ok`. */
  failure: z.enum(effectFailures).optional(),
  /** One word for why, where the failure has one of its own: `Fenced`. */
  reason: text(64).optional(),
  /** What a person should look at in what was published. */
  findings: findings.optional(),
  branch: text(255).optional(),
  commit: commitHash.optional(),
  message: text(1024).optional(),
});
export type EffectResultMessage = z.infer<typeof effectResultMessage>;

/** On `millwright.probes`, with `replyTo`: can the repository of the Project be read? Any git host answers. */
export const probeMessage = z.strictObject({
  type: z.literal('probe'),
  namespace: text(63).min(1),
  project: text(253).min(1),
});
export type ProbeMessage = z.infer<typeof probeMessage>;

/** The answer to a probe, in the words of a condition. */
export const probeReply = z.strictObject({
  type: z.literal('probed'),
  status: condition.shape.status,
  reason: text(64).min(1),
  /** What is the matter, and what to change. */
  message: text(1024),
});
export type ProbeReply = z.infer<typeof probeReply>;

/** Everything the operator reads on `millwright.results`. */
export const operatorInbound = z.discriminatedUnion('type', [
  helloMessage,
  claimMessage,
  heartbeatMessage,
  resultMessage,
]);
export type OperatorInbound = z.infer<typeof operatorInbound>;

/** On `millwright.agents` (topic; routing key: the namespace). */
export const controlMessage = z.discriminatedUnion('type', [
  /** The work queues that agents of this pool, started with this workspace image, consume from now on. */
  z.strictObject({
    type: z.literal('queues'),
    namespace: text(63),
    pool: text(253),
    image: text(512),
    queues: z.array(text(255)).max(MAX_QUEUES),
  }),
  /** Ends an attempt: grace period, then kill. */
  z.strictObject({ type: z.literal('cancel'), task: taskIdentity, attempt: attemptNumber, reason: text(256) }),
  /** Idle agents of the pool (or of one pod) exit; busy ones exit after their task. */
  z.strictObject({ type: z.literal('drain'), namespace: text(63), pool: text(253), pod: pod.optional() }),
]);
export type ControlMessage = z.infer<typeof controlMessage>;

/** On `millwright.revocations` (fanout): the attempt has ended, and its gateway token is no longer good. */
export const revokeMessage = z.strictObject({ type: z.literal('revoke'), task: taskIdentity, attempt: attemptNumber });
export type RevokeMessage = z.infer<typeof revokeMessage>;
