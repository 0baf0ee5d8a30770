import { type FinishedSpan, noTelemetry, traceIdOf } from '@millwright/otel';
import { expect, it } from 'vitest';
import { createSpans } from './spans.ts';

const attempt = { task: { uid: 'u1', namespace: 'team', name: 'build' }, attempt: 1, kind: 'run' as const };
const where = { pool: 'p', pod: 'p-1', queue: 'work.team.x', messageId: 'u1:1' };
const received = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

function recording() {
  const spans: FinishedSpan[] = [];
  return { spans, telemetry: { ...noTelemetry, enabled: true, emit: (span: FinishedSpan) => void spans.push(span) } };
}

it('continues the trace of the work message, with its steps below', async () => {
  const { spans, telemetry } = recording();
  const tracer = createSpans(telemetry, attempt, where, received);
  await tracer.step('checkout', async () => 1);
  await expect(tracer.step('work', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  tracer.end({ ok: false, message: 'no' });
  const [checkout, work, whole] = spans;
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set(['0af7651916cd43dd8448eb211c80319c']));
  expect(whole).toMatchObject({ parentSpanId: 'b7ad6b7169203331', kind: 'consumer', name: 'process work.team.x' });
  expect([checkout?.parentSpanId, work?.parentSpanId]).toEqual([whole?.spanId, whole?.spanId]);
  expect(work?.status).toEqual({ code: 'error', message: 'no' });
  expect(tracer.steps).toEqual([
    { name: 'checkout', status: 'succeeded', seconds: expect.closeTo(0, 1) },
    { name: 'work', status: 'failed', seconds: expect.closeTo(0, 1) },
  ]);
  expect(tracer.traceparent).toBe(`00-${whole?.traceId}-${whole?.spanId}-01`);
  expect(new Set(spans.map((span) => span.spanId)).size).toBe(3);
});

it('is the parent of a message, which is the parent of what its receiver does', async () => {
  const { spans, telemetry } = recording();
  const tracer = createSpans(telemetry, attempt, where, received);
  const context = await tracer.send({ destination: 'results', messageId: 'u1:1:run:result' }, async (sent) => sent);
  tracer.end({ ok: true });
  const [sent, whole] = spans;
  expect(sent).toMatchObject({ name: 'send results', kind: 'producer', parentSpanId: whole?.spanId });
  expect(sent?.attributes).toMatchObject({
    'messaging.operation.type': 'send',
    'messaging.message.id': 'u1:1:run:result',
  });
  expect(context).toBe(`00-${sent?.traceId}-${sent?.spanId}-01`);
});

it('tells of the claim and of the acknowledgement once the attempt is granted', () => {
  const { spans, telemetry } = recording();
  const tracer = createSpans(telemetry, attempt, where, received);
  const { claim } = tracer;
  expect(spans).toEqual([]);
  tracer.granted();
  tracer.end({ ok: true });
  const [asked, settled, whole] = spans;
  expect(asked).toMatchObject({
    name: 'send millwright.results',
    kind: 'producer',
    parentSpanId: whole?.spanId,
    start: whole?.start,
    attributes: { 'messaging.operation.type': 'send', 'messaging.message.id': claim.messageId },
  });
  expect(claim.traceparent).toBe(`00-${whole?.traceId}-${asked?.spanId}-01`);
  expect(settled).toMatchObject({
    name: 'ack work.team.x',
    kind: 'client',
    parentSpanId: whole?.spanId,
    attributes: {
      'messaging.operation.name': 'ack',
      'messaging.operation.type': 'settle',
      'messaging.message.id': 'u1:1',
    },
  });
});

it('gives what a step causes the step as its parent, and the attempt afterwards', async () => {
  const { spans, telemetry } = recording();
  const tracer = createSpans(telemetry, attempt, where, received);
  const before = tracer.traceparent;
  const during = await tracer.step('push', async () => tracer.traceparent);
  await expect(tracer.step('work', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(during).toBe(`00-${spans[0]?.traceId}-${spans[0]?.spanId}-01`);
  expect(tracer.traceparent).toBe(before);
  expect(before).not.toBe(during);
});

it('begins a trace when none came', () => {
  const { spans, telemetry } = recording();
  createSpans(telemetry, attempt, where, undefined).end({ ok: true });
  expect(spans[0]?.traceId).toBe(traceIdOf('u1'));
  expect(spans[0]?.parentSpanId).toBeUndefined();
});
