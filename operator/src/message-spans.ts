import { messageIds, topology } from '@millwright/broker';
import type { AgentTask } from '@millwright/crds';
import {
  attr,
  type FinishedSpan,
  messagingSpan,
  parseTraceparent,
  spanIdOf,
  type Telemetry,
  traceIdOf,
  traceparent,
} from '@millwright/otel';
import type { HandledMessage } from './agent-task/memory.ts';
import { workflowOf } from './agent-task/owner.ts';

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
export const traceOf = (task: AgentTask): string => traceIdOf(workflowOf(task)?.uid ?? task.metadata.uid);

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

/** What a message was about: which of those that an attempt has at most one of. Publishing may fail more than once. */
function topicOf({ message, delivery }: HandledMessage): string {
  if (message.type === 'claim') return `claim:${message.kind}`;
  if (message.type === 'result') return message.kind;
  return message.ok ? 'effect' : `effect:${delivery.sentAt}`;
}

/** The span of a message: its processing, from its arrival until it is acknowledged, after the write that made it superfluous. */
export function spanOfHandled(task: AgentTask, held: HandledMessage, now: number): FinishedSpan {
  const { delivery, message, receivedAt } = held;
  const { attempt } = message;
  const { uid, namespace } = task.metadata;
  const topic = topicOf(held);
  const traceId = traceOf(task);
  const sender = parseTraceparent(delivery.traceparent);
  const process = messagingSpan({
    operation: 'process',
    destination: message.type === 'effectResult' ? topology.answers : topology.results,
    ...(delivery.messageId === undefined ? {} : { messageId: delivery.messageId }),
  });
  return {
    traceId,
    spanId: spanIdOf(uid, 'process', attempt, topic),
    // A sandbox may say what it likes: nothing hangs in another trace for it.
    parentSpanId:
      sender?.traceId === traceId
        ? sender.spanId
        : attemptSpan(uid, attempt, topic.endsWith('verify') ? 'verify' : 'run'),
    name: process.name,
    kind: 'consumer',
    start: receivedAt,
    end: now,
    attributes: {
      [attr.namespace]: namespace,
      [attr.taskUid]: uid,
      [attr.attempt]: attempt,
      ...process.attributes,
    },
  };
}

/** Emits the span of each message that was handled. `taskOf` looks a task up by `<namespace>/<name>`; `now` is in milliseconds since the epoch. */
export function traceMessages(
  telemetry: Telemetry,
  taskOf: (key: string) => AgentTask | undefined,
  now: () => number,
): (held: HandledMessage) => void {
  return (held) => {
    const { uid, namespace, name } = held.message.task;
    const task = telemetry.enabled ? taskOf(`${namespace}/${name}`) : undefined;
    if (task?.metadata.uid === uid) telemetry.emit(spanOfHandled(task, held, now()));
  };
}
