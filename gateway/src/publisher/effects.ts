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
import { createEpochFence } from './epochs.ts';
import { takeTurns } from './turns.ts';

export interface EffectOptions {
  broker: Pick<Broker, 'publish'>;
  /** Resolves with the answer; with nothing when nobody wants the effect any more. */
  perform: (effect: EffectMessage) => Promise<EffectResultMessage | undefined>;
  log: Logger;
  metrics: Metrics;
  telemetry: Telemetry;
  /** How long an effect waits for its turn, in milliseconds; two seconds when absent. */
  patienceMs?: number;
}

/** How long an effect stays away that is not done for now. One whose answer could not be delivered is done again then, which finds it done. */
const REQUEUE_MS = 5_000;
/** An effect that waits for another of its project keeps its place for so long; most are done within it. */
const PATIENCE_MS = 2_000;

/**
 * Handles what arrives on `millwright.effects`: does it, answers on `millwright.answers`, and only then acknowledges it. One effect of a
 * project at a time; behind one that takes long, the others go back to the broker for a while, so that a forge that hangs holds one place
 * here and no more. What is behind a later attempt of its task, or behind a later leader's word on the same one, is dropped.
 */
export function effectHandler(options: EffectOptions): (delivery: Delivery<EffectMessage>) => Promise<void> {
  const { log, metrics, telemetry } = options;
  const fence = createEpochFence();
  const inTurn = takeTurns(options.patienceMs ?? PATIENCE_MS);
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
    const taken = await inTurn(`${task.namespace}/${effect.project}`, async () => {
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
    if (!taken) delivery.requeue(REQUEUE_MS);
  };
}
