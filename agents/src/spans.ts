/** Spans of an attempt, below the span that the work message came from. */
import { topology } from '@millwright/broker';
import type { AttemptStep, WorkMessage } from '@millwright/crds';
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
  /** For what the attempt causes just now: below the step that runs, else below the attempt itself. */
  readonly traceparent: string;
  /** For the message that asks for the attempt. */
  readonly claim: { messageId: string; traceparent: string };
  /**
   * Emits the spans of the claim and of the acknowledged delivery. To be called when the attempt was granted: a claim that loses leaves
   * none, since the attempt that it would hang below may never be told.
   */
  granted(): void;
  /** Runs one step of the attempt as a span of its own. */
  step<T>(name: AttemptStep['name'], run: () => Promise<T>): Promise<T>;
  /** The steps that have ended. */
  readonly steps: readonly AttemptStep[];
  /** Sends a message as a span of its own, which is the parent of whatever its receiver does. */
  send<T>(message: { destination: string; messageId: string }, run: (traceparent: string) => Promise<T>): Promise<T>;
  /** Emits the span of the attempt. */
  end(outcome: { ok: boolean; message?: string; attributes?: SpanAttributes }): void;
}

/** @param received trace context of the work message, which has just been delivered */
export function createSpans(
  telemetry: Telemetry,
  { task, attempt, kind }: Pick<WorkMessage, 'task' | 'attempt' | 'kind'>,
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
  const claim = {
    messageId: `${task.uid}:${attempt}:${kind}:claim:${where.pod}`,
    traceparent: contextOf(idOf('claim')),
  };
  const workMessage = {
    destination: where.queue,
    ...(where.messageId === undefined ? {} : { messageId: where.messageId }),
  };
  const steps: AttemptStep[] = [];
  let current = spanId;

  /** Emits a span below that of the attempt, which ends now. */
  function emitBelow(id: string, span: Pick<FinishedSpan, 'name' | 'kind' | 'attributes' | 'start' | 'status'>): void {
    const attributes = { ...identity, ...span.attributes };
    telemetry.emit({ ...span, traceId, spanId: id, parentSpanId: spanId, end: Date.now(), attributes });
  }

  /** Runs something as a span below that of the attempt. */
  async function within<T>(id: string, span: Parameters<typeof emitBelow>[1], run: () => Promise<T>): Promise<T> {
    try {
      const result = await run();
      emitBelow(id, span);
      return result;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      emitBelow(id, { ...span, status: { code: 'error', message } });
      throw error;
    }
  }

  return {
    get traceparent() {
      return contextOf(current);
    },
    claim,
    granted() {
      const { messageId } = claim;
      const asked = messagingSpan({ operation: 'send', destination: topology.results, messageId });
      const settled = messagingSpan({ operation: 'settle', operationName: 'ack', ...workMessage });
      emitBelow(idOf('claim'), { ...asked, kind: 'producer', start });
      emitBelow(idOf('ack'), { ...settled, kind: 'client', start: Date.now() });
    },
    steps,
    async step(name, run) {
      current = idOf(`${name}:${steps.length + 1}`);
      const began = performance.now();
      let status: AttemptStep['status'] = 'failed';
      try {
        const result = await within(current, { name: `agent ${name}`, start: Date.now() }, run);
        status = 'succeeded';
        return result;
      } finally {
        steps.push({ name, status, seconds: (performance.now() - began) / 1000 });
        current = spanId;
      }
    },
    send(message, run) {
      const span = messagingSpan({ operation: 'send', ...message });
      const id = idOf(span.name);
      return within(id, { ...span, kind: 'producer', start: Date.now() }, () => run(contextOf(id)));
    },
    end({ ok, message, attributes }) {
      const span = messagingSpan({ operation: 'process', ...workMessage });
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
