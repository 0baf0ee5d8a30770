import type { Delivery, PublishOptions } from '@millwright/broker';
import type { EffectMessage } from '@millwright/crds';
import { createMetrics, type FinishedSpan, noTelemetry, silentLogger } from '@millwright/otel';
import { expect, it } from 'vitest';
import { effectHandler } from './effects.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const effect: EffectMessage = {
  type: 'publishBranch',
  id: 'uid:1:branch',
  task: { uid: 'uid', namespace: 'team', name: 'build' },
  attempt: 1,
  retry: 0,
  epoch: 1,
  project: 'app',
  ref: 'refs/attempts/uid/1',
  commit: 'c0ffee'.repeat(7).slice(0, 40),
  branch: 'ai/generated/flow/build',
  replaces: { committer: 'bot@example.org', lines: ['Millwright-Branch: ai/generated/flow/build'] },
};

/** Handles the effect, and says what was told about it in which order. */
async function handle(publish: () => Promise<void> = async () => undefined) {
  const told: (FinishedSpan | 'settled' | PublishOptions)[] = [];
  const handler = effectHandler({
    broker: {
      publish: async (_target, _schema, _message, options = {}) => {
        told.push(options);
        await publish();
      },
    },
    perform: async ({ id, task, attempt, retry }) => ({ type: 'effectResult', id, task, attempt, retry, ok: true }),
    log: silentLogger,
    metrics: createMetrics('publisher'),
    telemetry: { ...noTelemetry, enabled: true, emit: (span) => void told.push(span) },
  });
  const settle = () => void told.push('settled');
  const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
  const delivery = { message: effect, messageId: effect.id, traceparent, ack: settle, requeue: settle };
  await handler(delivery as unknown as Delivery<EffectMessage>);
  return told;
}

it('is processed below its sending, answered below that, and acknowledged at last', async () => {
  const [process, answer, settled, ack] = await handle();
  expect(process).toMatchObject({
    name: 'process millwright.effects',
    traceId: TRACE,
    parentSpanId: 'b7ad6b7169203331',
  });
  const { spanId } = process as FinishedSpan;
  expect(answer).toMatchObject({ traceparent: `00-${TRACE}-${spanId}-01` });
  expect(settled).toBe('settled');
  expect(ack).toMatchObject({
    name: 'ack millwright.effects',
    traceId: TRACE,
    parentSpanId: spanId,
    attributes: { 'messaging.operation.type': 'settle', 'messaging.message.id': effect.id },
  });
});

it('is not told to be acknowledged when its answer was not confirmed', async () => {
  const told = await handle(() => Promise.reject(new Error('away')));
  expect(told.slice(2)).toEqual(['settled']);
});

it('goes back to the broker while another of its project takes long, and others are done meanwhile', async () => {
  const forge = Promise.withResolvers<void>();
  const told: string[] = [];
  const handler = effectHandler({
    broker: { publish: async () => undefined },
    perform: async ({ id, project, task, attempt, retry }) => {
      if (project === 'dead') await forge.promise;
      return { type: 'effectResult', id, task, attempt, retry, ok: true };
    },
    log: silentLogger,
    metrics: createMetrics('publisher'),
    telemetry: noTelemetry,
    patienceMs: 1,
  });
  const handle = (project: string, uid: string) =>
    handler({
      message: { ...effect, project, task: { ...effect.task, uid } },
      ack: () => void told.push(`ack ${uid}`),
      requeue: (ms: number) => void told.push(`requeue ${uid} for ${ms}`),
    } as unknown as Delivery<EffectMessage>);
  const first = handle('dead', 'a');
  await handle('dead', 'b');
  await handle('dead', 'c');
  await handle('well', 'd');
  expect(told).toEqual(['requeue b for 5000', 'requeue c for 5000', 'ack d']);
  forge.resolve();
  await first;
  expect(told.at(-1)).toBe('ack a');
});
