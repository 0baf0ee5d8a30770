/** Spans of an attempt, below the span that the work message came from. */
import type { GrantMessage } from '@millwright/crds';
import {
  attr,
  type FinishedSpan,
  messagingSpan,
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
  /** Sends a message as a span of its own, which is the parent of whatever its receiver does. */
  send<T>(message: { destination: string; messageId: string }, run: (traceparent: string) => Promise<T>): Promise<T>;
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
  const contextOf = (id: string) => traceparent(traceId, id, parent?.sampled ?? true);
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

  /** Runs something as a span below that of the attempt. */
  async function within<T>(
    id: string,
    span: Pick<FinishedSpan, 'name' | 'kind' | 'attributes'>,
    run: () => Promise<T>,
  ): Promise<T> {
    const began = Date.now();
    const emit = (status?: { code: 'error'; message: string }) =>
      telemetry.emit({
        ...span,
        traceId,
        spanId: id,
        parentSpanId: spanId,
        start: began,
        end: Date.now(),
        attributes: { ...identity, ...span.attributes },
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
  }

  return {
    traceparent: contextOf(spanId),
    step(name, run) {
      steps += 1;
      return within(idOf(`${name}:${steps}`), { name: `agent ${name}` }, run);
    },
    send(message, run) {
      const span = messagingSpan({ operation: 'send', ...message });
      const id = idOf(span.name);
      return within(id, { ...span, kind: 'producer' }, () => run(contextOf(id)));
    },
    end({ ok, message, attributes }) {
      const { queue: destination, messageId } = where;
      const span = messagingSpan({
        operation: 'process',
        destination,
        ...(messageId === undefined ? {} : { messageId }),
      });
      telemetry.emit({
        traceId,
        spanId,
        parentSpanId: parent?.spanId,
        name: span.name,
        kind: 'consumer',
        start,
        end: Date.now(),
        attributes: { ...identity, ...span.attributes, ...attributes },
        status: ok ? { code: 'ok' } : { code: 'error', ...(message === undefined ? {} : { message }) },
      });
    },
  };
}
