import { type AgentTask, isFinished, labels, reasons, type Workflow } from '@millwright/crds';
import { attr, type FinishedSpan, spanIdOf, type Telemetry, traceIdOf } from '@millwright/otel';
import { attemptSpan, type Sendings, spanOfSend, traceOf } from './message-spans.ts';

/** Span id of a Workflow: the root of its trace. */
export const workflowSpan = (uid: string): string => spanIdOf(uid, 'workflow', 0, 'run');
export const taskSpan = (uid: string): string => spanIdOf(uid, 'task', 0, 'run');

/** The Workflow's span, emitted once when it has ended; everything in it follows from the object, so emitting it again changes nothing. */
export function spanOfWorkflow({ metadata, spec, status }: Workflow): FinishedSpan | undefined {
  if (!isFinished(status?.phase) || status?.finishedAt === undefined) return undefined;
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
    status: status.phase === 'Succeeded' ? { code: 'ok' } : { code: 'error', message: status.message ?? '' },
  };
}

/**
 * Spans that a write of a task's status completes: attempts that ended with it, what was sent about them, verification, and the task itself.
 *
 * @param sendings what is known of the sendings; those that an earlier leader sent count from when they were taken
 */
export function spansOfTask(before: AgentTask, after: AgentTask, sendings: Sendings = {}): FinishedSpan[] {
  const { metadata, status } = after;
  const workflowUid = metadata.labels?.[labels.workflowUid];
  const traceId = traceOf(after);
  const common = {
    [attr.namespace]: metadata.namespace,
    [attr.project]: after.spec.projectRef.name,
    [attr.task]: metadata.labels?.[labels.task] ?? metadata.name,
    [attr.taskUid]: metadata.uid,
  };
  const spans: FinishedSpan[] = [];
  const known = new Set((before.status?.history ?? []).map((entry) => entry.attempt));
  for (const entry of status?.history ?? []) {
    if (known.has(entry.attempt) || entry.startedAt === undefined) continue;
    const { attempt } = entry;
    const verifier = [status, before.status].find((one) => one?.attempt === attempt && one.verifier)?.verifier;
    const failed = entry.outcome !== 'Succeeded';
    spans.push({
      traceId,
      spanId: attemptSpan(metadata.uid, attempt, 'run'),
      parentSpanId: taskSpan(metadata.uid),
      name: `attempt ${attempt}`,
      start: entry.startedAt,
      end: verifier?.at ?? entry.finishedAt,
      attributes: { ...common, [attr.attempt]: attempt, [attr.podName]: entry.pod, [attr.reason]: entry.reason },
      status: failed && !verifier ? { code: 'error', message: entry.message ?? entry.reason } : { code: 'ok' },
    });
    spans.push(spanOfSend(after, attempt, 'run', sendings.run ?? { at: entry.startedAt }));
    if (verifier) spans.push(spanOfSend(after, attempt, 'verify', sendings.verify ?? { at: verifier.at }));
    // The publisher was asked, by this leader or, as the end says, by an earlier one.
    const asked =
      status?.branch !== undefined || entry.reason === reasons.PublishFailed || entry.reason === reasons.PublishRefused;
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
          [attr.attempt]: attempt,
          [attr.podName]: verifier.pod,
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
      name: `task ${metadata.labels?.[labels.task] ?? metadata.name}`,
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
export function traceTask(telemetry: Telemetry, before: AgentTask, after: AgentTask, sendings?: Sendings): void {
  if (telemetry.enabled) for (const span of spansOfTask(before, after, sendings)) telemetry.emit(span);
}

/** Emits again what ended with the task's last write, or its last attempt, in case the process that wrote it was killed before it could. */
export function traceTaskAgain(telemetry: Telemetry, task: AgentTask): void {
  const before = { ...task, status: { ...task.status, history: task.status?.history?.slice(0, -1) ?? [] } };
  traceTask(telemetry, before, task);
}

export function traceWorkflow(telemetry: Telemetry, workflow: Workflow): void {
  const span = telemetry.enabled ? spanOfWorkflow(workflow) : undefined;
  if (span) telemetry.emit(span);
}
