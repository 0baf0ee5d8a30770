import { type Delivery, messageIds, topology } from '@millwright/broker';
import { type AgentTask, type EffectResultMessage, labels, type ResultMessage } from '@millwright/crds';
import {
  attr,
  type FinishedSpan,
  messagingSpan,
  parseTraceparent,
  spanIdOf,
  traceIdOf,
  traceparent,
} from '@millwright/otel';

/** What the operator sends about an attempt: the work itself, its verification, and the publishing of its branch. */
export type Sent = 'run' | 'verify' | 'effect';
/** When it was sent (milliseconds since the epoch, or RFC 3339) and by which routing key. */
interface Sending {
  at: number | string;
  routingKey?: string;
}
/** What this process has sent about the current attempt. */
export type Sendings = Partial<Record<Sent, Sending>>;

/** Span id of an attempt: run and verification have one each. */
export const attemptSpan = (uid: string, attempt: number, kind: 'run' | 'verify'): string =>
  spanIdOf(uid, 'attempt', attempt, kind);
const sendSpan = (uid: string, attempt: number, sent: Sent): string => spanIdOf(uid, 'send', attempt, sent);

/** A task's trace is that of its Workflow. */
export const traceOf = ({ metadata }: AgentTask): string =>
  traceIdOf(metadata.labels?.[labels.workflowUid] ?? metadata.uid);

/** Trace context of a message: what its receiver does hangs below the sending. */
export const sentTrace = (task: AgentTask, attempt: number, sent: Sent): string =>
  traceparent(traceOf(task), sendSpan(task.metadata.uid, attempt, sent));

/**
 * The span of a sending. It is emitted with the end of its attempt, from what is durable, rather than at once: an operator that is killed
 * in between would leave whatever the receiver did without its parent.
 */
export function spanOfSend(task: AgentTask, attempt: number, sent: Sent, sending: Sending): FinishedSpan {
  const { uid } = task.metadata;
  const messageId = sent === 'effect' ? messageIds.effect(uid, attempt, 'branch') : messageIds.work(uid, attempt, sent);
  return {
    traceId: traceOf(task),
    spanId: sendSpan(uid, attempt, sent),
    parentSpanId: attemptSpan(uid, attempt, sent === 'verify' ? 'verify' : 'run'),
    ...messagingSpan({
      operation: 'send',
      destination: sent === 'effect' ? topology.effects : topology.work,
      messageId,
      ...(sending.routingKey === undefined ? {} : { routingKey: sending.routingKey }),
    }),
    kind: 'producer',
    start: sending.at,
    end: sending.at,
  };
}

/** The span of a result: from its arrival until the write that made it superfluous. */
export function spanOfResult(
  task: AgentTask,
  delivery: Delivery<unknown>,
  message: ResultMessage | EffectResultMessage,
  receivedAt: number,
  now: number,
): FinishedSpan {
  const { attempt } = message;
  const what = message.type === 'result' ? message.kind : 'effect';
  const traceId = traceOf(task);
  const sender = parseTraceparent(delivery.traceparent);
  const span = messagingSpan({
    operation: 'process',
    destination: topology.results,
    ...(delivery.messageId === undefined ? {} : { messageId: delivery.messageId }),
  });
  return {
    traceId,
    spanId: spanIdOf(task.metadata.uid, 'process', attempt, what),
    // A sandbox may say what it likes: nothing hangs in another trace for it.
    parentSpanId:
      sender?.traceId === traceId
        ? sender.spanId
        : attemptSpan(task.metadata.uid, attempt, what === 'verify' ? 'verify' : 'run'),
    name: span.name,
    kind: 'consumer',
    start: receivedAt,
    end: now,
    attributes: {
      ...span.attributes,
      [attr.namespace]: task.metadata.namespace,
      [attr.taskUid]: task.metadata.uid,
      [attr.attempt]: attempt,
    },
  };
}
