/** Spans of an attempt, below the span that the work message came from. */
import type { GrantMessage } from '@millwright/crds';
import {
  attr,
  parseTraceparent,
  type SpanAttributes,
  spanIdOf,
  type Telemetry,
  traceIdOf,
  traceparent,
} from '@millwright/otel';

export interface AttemptSpans {
  /** For everything that the attempt causes. */
  readonly traceparent: string;
  /** Runs one step of the attempt as a span of its own. */
  step<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** Emits the span of the attempt. */
  end(outcome: { ok: boolean; message?: string; attributes?: SpanAttributes }): void;
}

export function createSpans(
  telemetry: Telemetry,
  { task, attempt, kind }: Pick<GrantMessage, 'task' | 'attempt' | 'kind'>,
  where: { pool: string; pod: string; queue: string; messageId: string | undefined },
  received: string | undefined,
): AttemptSpans {
  const parent = parseTraceparent(received);
  const traceId = parent?.traceId ?? traceIdOf(task.uid);
  const idOf = (phase: string) => spanIdOf(task.uid, task.name, attempt, `${kind}:${phase}`);
  const spanId = idOf('agent');
  const start = Date.now();
  const identity: SpanAttributes = {
    [attr.namespace]: task.namespace,
    [attr.podName]: where.pod,
    [attr.pool]: where.pool,
    [attr.task]: task.name,
    [attr.taskUid]: task.uid,
    [attr.attempt]: attempt,
  };
  let steps = 0;

  return {
    traceparent: traceparent(traceId, spanId, parent?.sampled ?? true),
    async step(name, run) {
      const began = Date.now();
      steps += 1;
      const emit = (status?: { code: 'error'; message: string }) =>
        telemetry.emit({
          traceId,
          spanId: idOf(`${name}:${steps}`),
          parentSpanId: spanId,
          name: `agent ${name}`,
          start: began,
          end: Date.now(),
          attributes: identity,
          ...(status === undefined ? {} : { status }),
        });
      try {
        const result = await run();
        emit();
        return result;
      } catch (error) {
        emit({ code: 'error', message: error instanceof Error ? error.message : String(error) });
        throw error;
      }
    },
    end({ ok, message, attributes }) {
      telemetry.emit({
        traceId,
        spanId,
        parentSpanId: parent?.spanId,
        name: `process ${where.queue}`,
        kind: 'consumer',
        start,
        end: Date.now(),
        attributes: {
          ...identity,
          [attr.messagingSystem]: 'rabbitmq',
          [attr.messagingOperationName]: 'process',
          [attr.messagingOperationType]: 'process',
          [attr.messagingDestination]: where.queue,
          [attr.messagingMessageId]: where.messageId,
          ...attributes,
        },
        status: ok ? { code: 'ok' } : { code: 'error', ...(message === undefined ? {} : { message }) },
      });
    },
  };
}
