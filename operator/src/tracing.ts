import { type AgentTask, annotations, isFinished, reasons, type Workflow } from '@millwright/crds';
import {
  attr,
  type FinishedSpan,
  parseTraceparent,
  type SpanAttributes,
  spanIdOf,
  type Telemetry,
  traceIdOf,
} from '@millwright/otel';
import { taskNameOf, workflowOf } from './agent-task/owner.ts';
import { jobOf, type Pod } from './cluster.ts';
import { attemptSpan, type Sendings, spanOfSend, traceOf } from './message-spans.ts';

/** Span id of a Workflow: the root of its trace. */
export const workflowSpan = (uid: string): string => spanIdOf(uid, 'workflow', 0, 'run');
export const taskSpan = (uid: string): string => spanIdOf(uid, 'task', 0, 'run');

/** The pods of sandboxes by `<namespace>/<name>`, as long as they are there. */
export interface Pods {
  get(key: string): Pod | undefined;
}

/** What is known of the sandbox that a pod is. */
function sandboxAttributes(namespace: string, name: string | undefined, pods: Pods): SpanAttributes {
  const pod = name === undefined ? undefined : pods.get(`${namespace}/${name}`);
  return {
    [attr.podName]: name,
    [attr.podUid]: pod?.metadata.uid,
    [attr.jobName]: pod && jobOf(pod),
  };
}

/** The Workflow's span, emitted once when it has ended; everything in it follows from the object, so emitting it again changes nothing. */
export function spanOfWorkflow({ metadata, spec, status }: Workflow): FinishedSpan | undefined {
  if (!isFinished(status?.phase) || status?.finishedAt === undefined) return undefined;
  // Whoever asked for the Workflow is in a trace of its own: this one's id must follow from the uid alone.
  const cause = parseTraceparent(metadata.annotations?.[annotations.traceparent]);
  return {
    traceId: traceIdOf(metadata.uid),
    spanId: workflowSpan(metadata.uid),
    name: `workflow ${metadata.name}`,
    kind: 'internal',
    start: metadata.creationTimestamp,
    end: status.finishedAt,
    attributes: {
      [attr.namespace]: metadata.namespace,
      [attr.project]: spec.projectRef.name,
      [attr.workflow]: metadata.name,
      [attr.workflowUid]: metadata.uid,
      [attr.phase]: status.phase,
      [attr.reason]: status.reason,
      [attr.pipelineRunId]: metadata.uid,
    },
    ...(cause ? { links: [{ traceId: cause.traceId, spanId: cause.spanId }] } : {}),
    status: status.phase === 'Succeeded' ? { code: 'ok' } : { code: 'error', message: status.message ?? '' },
  };
}

/**
 * Spans that a write of a task's status completes: attempts that ended with it, what was sent about them, verification, and the task itself.
 *
 * @param sendings what is known of the sendings; those that an earlier leader sent count from when they were taken
 */
export function spansOfTask(before: AgentTask, after: AgentTask, pods: Pods, sendings: Sendings = {}): FinishedSpan[] {
  const { metadata, status } = after;
  const workflowUid = workflowOf(after)?.uid;
  const traceId = traceOf(after);
  const common = {
    [attr.namespace]: metadata.namespace,
    [attr.project]: after.spec.projectRef.name,
    [attr.task]: taskNameOf(after),
    [attr.taskUid]: metadata.uid,
    [attr.pipelineRunId]: workflowUid ?? metadata.uid,
  };
  const spans: FinishedSpan[] = [];
  const known = new Set((before.status?.history ?? []).map((entry) => entry.attempt));
  let previous: { traceId: string; spanId: string } | undefined;
  for (const entry of status?.history ?? []) {
    if (entry.startedAt === undefined) continue;
    const links = previous ? { links: [previous] } : {};
    previous = { traceId, spanId: attemptSpan(metadata.uid, entry.attempt, 'run') };
    if (known.has(entry.attempt)) continue;
    const { attempt } = entry;
    const verifier = [status, before.status].find((one) => one?.attempt === attempt && one.verifier)?.verifier;
    const failed = entry.outcome !== 'Succeeded';
    spans.push({
      ...previous,
      parentSpanId: taskSpan(metadata.uid),
      name: `attempt ${attempt}`,
      start: entry.startedAt,
      end: verifier?.at ?? entry.finishedAt,
      attributes: {
        ...common,
        ...sandboxAttributes(metadata.namespace, entry.pod, pods),
        [attr.attempt]: attempt,
        [attr.reason]: entry.reason,
      },
      ...links,
      status: failed && !verifier ? { code: 'error', message: entry.message ?? entry.reason } : { code: 'ok' },
    });
    spans.push(spanOfSend(after, attempt, 'run', sendings.run ?? { at: entry.startedAt }));
    if (verifier) spans.push(spanOfSend(after, attempt, 'verify', sendings.verify ?? { at: verifier.at }));
    // The publisher was asked, by this leader or, as the end says, by an earlier one.
    const asked = status?.branch !== undefined || entry.reason === reasons.PublishRefused;
    if (sendings.effect || asked)
      spans.push(spanOfSend(after, attempt, 'effect', sendings.effect ?? { at: entry.finishedAt }));
    if (verifier)
      spans.push({
        traceId,
        spanId: attemptSpan(metadata.uid, attempt, 'verify'),
        parentSpanId: taskSpan(metadata.uid),
        name: `verify attempt ${attempt}`,
        start: verifier.at,
        end: entry.finishedAt,
        attributes: {
          ...common,
          ...sandboxAttributes(metadata.namespace, verifier.pod, pods),
          [attr.attempt]: attempt,
          [attr.reason]: entry.reason,
        },
        status: failed ? { code: 'error', message: entry.message ?? entry.reason } : { code: 'ok' },
      });
  }
  if (isFinished(status?.phase) && status?.finishedAt !== undefined)
    spans.push({
      traceId,
      spanId: taskSpan(metadata.uid),
      ...(workflowUid === undefined ? {} : { parentSpanId: workflowSpan(workflowUid) }),
      name: `task ${taskNameOf(after)}`,
      start: metadata.creationTimestamp,
      end: status.finishedAt,
      attributes: {
        ...common,
        [attr.phase]: status.phase,
        [attr.reason]: status.reason,
        [attr.commit]: status.result?.commit,
      },
      status: status.phase === 'Succeeded' ? { code: 'ok' } : { code: 'error', message: status.message ?? '' },
    });
  return spans;
}

/** Emits what a write completed. */
export function traceTask(
  telemetry: Telemetry,
  before: AgentTask,
  after: AgentTask,
  pods: Pods,
  sendings?: Sendings,
): void {
  if (telemetry.enabled) for (const span of spansOfTask(before, after, pods, sendings)) telemetry.emit(span);
}

/** Emits again what ended with the task's last write, or its last attempt, in case the process that wrote it was killed before it could. */
export function traceTaskAgain(telemetry: Telemetry, task: AgentTask, pods: Pods): void {
  const before = { ...task, status: { ...task.status, history: task.status?.history?.slice(0, -1) ?? [] } };
  traceTask(telemetry, before, task, pods);
}

export function traceWorkflow(telemetry: Telemetry, workflow: Workflow): void {
  const span = telemetry.enabled ? spanOfWorkflow(workflow) : undefined;
  if (span) telemetry.emit(span);
}
