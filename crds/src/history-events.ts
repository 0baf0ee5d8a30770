/** What history is made of: the messages on `millwright.events`, which the recorder writes down and nobody decides by. */
import { z } from 'zod';
import { artifactRef, taskIdentity } from './agent-task.ts';
import { attemptNumber, workKind } from './messages.ts';
import { integer, text, time, uid } from './values.ts';

const eventBase = {
  /** Deterministic, so that a redelivered event is recorded once. */
  id: text(256).min(1),
  namespace: text(63).min(1),
  at: time,
};

/** The state of an object after a write of the operator: what history is made of. */
export const snapshotEvent = z.strictObject({
  type: z.literal('snapshot'),
  ...eventBase,
  kind: z.enum(['Project', 'AgentPool', 'Workflow', 'AgentTask']),
  uid,
  name: text(253).min(1),
  resourceVersion: text(64).min(1),
  project: text(253).optional(),
  workflowUid: uid.optional(),
  createdAt: time,
  deleted: z.boolean().optional(),
  /** A summary of the spec, without the tasks of a Workflow. */
  spec: z.record(z.string(), z.unknown()),
  status: z.record(z.string(), z.unknown()),
});
export type SnapshotEvent = z.infer<typeof snapshotEvent>;

/** Lines of output, in order within one attempt. */
export const logEvent = z.strictObject({
  type: z.literal('log'),
  ...eventBase,
  task: taskIdentity,
  attempt: attemptNumber,
  kind: workKind,
  sequence: integer(0, Number.MAX_SAFE_INTEGER),
  stream: z.enum(['stdout', 'stderr', 'system']),
  text: text(49_152),
});
export type LogEvent = z.infer<typeof logEvent>;

/** What an agent is doing, for people who watch. */
export const progressEvent = z.strictObject({
  type: z.literal('progress'),
  ...eventBase,
  task: taskIdentity,
  attempt: attemptNumber,
  kind: workKind,
  step: text(64),
  message: text(1024).optional(),
});
export type ProgressEvent = z.infer<typeof progressEvent>;

/** An artifact was stored. */
export const artifactEvent = z.strictObject({
  type: z.literal('artifact'),
  ...eventBase,
  task: taskIdentity,
  attempt: attemptNumber,
  artifact: artifactRef,
});
export type ArtifactEvent = z.infer<typeof artifactEvent>;

/** On `millwright.events` (topic; routing key `<type>.<namespace>`). */
export const eventMessage = z.discriminatedUnion('type', [snapshotEvent, logEvent, progressEvent, artifactEvent]);
export type EventMessage = z.infer<typeof eventMessage>;
