import { type AgentTask, isFinished, labels, type Workflow } from '@millwright/crds';
import { attr, type FinishedSpan, spanIdOf, type Telemetry, traceIdOf } from '@millwright/otel';

/** Span id of a Workflow: the root of its trace. */
export const workflowSpan = (uid: string): string => spanIdOf(uid, 'workflow', 0, 'run');
export const taskSpan = (uid: string): string => spanIdOf(uid, 'task', 0, 'run');
export const attemptSpan = (uid: string, attempt: number, kind: 'run' | 'verify'): string =>
  spanIdOf(uid, 'attempt', attempt, kind);

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

/** Spans that a write of a task's status completes: attempts that ended with it, verification, and the task itself. */
export function spansOfTask(before: AgentTask, after: AgentTask): FinishedSpan[] {
  const { metadata, status } = after;
  const workflowUid = metadata.labels?.[labels.workflowUid];
  const traceId = traceIdOf(workflowUid ?? metadata.uid);
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
    const verifier = status?.verifier ?? before.status?.verifier;
    const failed = entry.outcome !== 'Succeeded';
    spans.push({
      traceId,
      spanId: attemptSpan(metadata.uid, entry.attempt, 'run'),
      parentSpanId: taskSpan(metadata.uid),
      name: `attempt ${entry.attempt}`,
      start: entry.startedAt,
      end: verifier?.at ?? entry.finishedAt,
      attributes: { ...common, [attr.attempt]: entry.attempt, [attr.podName]: entry.pod, [attr.reason]: entry.reason },
      status: failed && !verifier ? { code: 'error', message: entry.message ?? entry.reason } : { code: 'ok' },
    });
    if (verifier)
      spans.push({
        traceId,
        spanId: attemptSpan(metadata.uid, entry.attempt, 'verify'),
        parentSpanId: taskSpan(metadata.uid),
        name: `verify attempt ${entry.attempt}`,
        start: verifier.at,
        end: entry.finishedAt,
        attributes: {
          ...common,
          [attr.attempt]: entry.attempt,
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
export function traceTask(telemetry: Telemetry, before: AgentTask, after: AgentTask): void {
  if (telemetry.enabled) for (const span of spansOfTask(before, after)) telemetry.emit(span);
}

export function traceWorkflow(telemetry: Telemetry, workflow: Workflow): void {
  const span = telemetry.enabled ? spanOfWorkflow(workflow) : undefined;
  if (span) telemetry.emit(span);
}
