import { type Broker, type Delivery, messageIds, targets, topology } from '@millwright/broker';
import { type EffectMessage, type EffectResultMessage, effectResultMessage } from '@millwright/crds';
import {
  attr,
  type Logger,
  type Metrics,
  messagingSpan,
  parseTraceparent,
  spanIdOf,
  type Telemetry,
  traceparent,
} from '@millwright/otel';
import { keyedLock } from '../shared/semaphore.ts';
import { createEpochFence } from './epochs.ts';

export interface EffectOptions {
  broker: Pick<Broker, 'publish'>;
  /** Resolves with the answer; with nothing when nobody wants the effect any more. */
  perform: (effect: EffectMessage) => Promise<EffectResultMessage | undefined>;
  log: Logger;
  metrics: Metrics;
  telemetry: Telemetry;
}

/** How long an effect waits whose answer could not be delivered: it is done again then, which finds it done. */
const REQUEUE_MS = 5_000;

/**
 * Handles what arrives on `millwright.effects`: does it, answers on `millwright.answers`, and only then acknowledges it. One effect of a
 * project at a time. What an earlier leader decided is dropped once a later one has spoken about the attempt.
 */
export function effectHandler(options: EffectOptions): (delivery: Delivery<EffectMessage>) => Promise<void> {
  const { log, metrics, telemetry } = options;
  const fence = createEpochFence();
  const lock = keyedLock();
  const effects = metrics.counter('millwright_effects_total');

  const trace = (delivery: Delivery<EffectMessage>, result: EffectResultMessage, start: number) => {
    const parent = parseTraceparent(delivery.traceparent);
    if (!parent) return undefined;
    const { traceId, sampled } = parent;
    const { task, attempt, epoch } = delivery.message;
    // It may fail more than once.
    const what = result.ok ? 'publishBranch' : `publishBranch:${start}`;
    const spanId = spanIdOf(task.uid, task.name, attempt, what);
    const about = {
      destination: topology.effects,
      ...(delivery.messageId === undefined ? {} : { messageId: delivery.messageId }),
    };
    const identity = {
      [attr.namespace]: task.namespace,
      [attr.project]: delivery.message.project,
      [attr.task]: task.name,
      [attr.taskUid]: task.uid,
      [attr.attempt]: attempt,
      [attr.epoch]: epoch,
      [attr.commit]: delivery.message.commit,
    };
    const process = messagingSpan({ operation: 'process', ...about });
    telemetry.emit({
      traceId,
      spanId,
      parentSpanId: parent.spanId,
      name: process.name,
      kind: 'consumer',
      start,
      end: Date.now(),
      attributes: { ...process.attributes, ...identity },
      status: result.ok ? { code: 'ok' } : { code: 'error', message: result.message ?? '' },
    });
    const settled = () => {
      const settle = messagingSpan({ operation: 'settle', operationName: 'ack', ...about });
      telemetry.emit({
        traceId,
        spanId: spanIdOf(task.uid, task.name, attempt, `${what}:ack`),
        parentSpanId: spanId,
        name: settle.name,
        kind: 'client',
        start: Date.now(),
        end: Date.now(),
        attributes: { ...settle.attributes, ...identity },
      });
    };
    return { context: traceparent(traceId, spanId, sampled), settled };
  };

  return async (delivery) => {
    const effect = delivery.message;
    const { id, task, attempt, epoch, type: kind } = effect;
    const fields = { effect: id, namespace: task.namespace, task: task.name, attempt, epoch };
    await lock(`${task.namespace}/${effect.project}`, async () => {
      if (!fence.admits(task.uid, attempt, epoch)) {
        log.warn('effect of an earlier leader dropped', fields);
        effects.inc({ kind, outcome: 'fenced' });
        delivery.ack();
        return;
      }
      const start = Date.now();
      const result = await options.perform(effect);
      if (!result) {
        log.info('effect dropped: its attempt is over', fields);
        effects.inc({ kind, outcome: 'fenced' });
        delivery.ack();
        return;
      }
      effects.inc({ kind, outcome: result.ok ? 'ok' : result.failure === 'permanent' ? 'failed' : 'retryable' });
      log[result.ok ? 'info' : 'warn'](result.ok ? 'effect done' : 'effect failed', {
        ...fields,
        reason: result.message,
      });
      const traced = trace(delivery, result, start);
      try {
        await options.broker.publish(targets.answers, effectResultMessage, result, {
          messageId: `${messageIds.effect(task.uid, attempt, kind)}:result`,
          ...(traced === undefined ? {} : { traceparent: traced.context }),
        });
        delivery.ack();
        traced?.settled();
      } catch (error) {
        log.warn('the answer to an effect was not confirmed', { ...fields, error });
        delivery.requeue(REQUEUE_MS);
      }
    });
  };
}
