import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { attr, messagingSpan } from './attributes.ts';
import { spanIdOf, traceIdOf } from './ids.ts';
import { startTelemetry } from './register.ts';

interface JaegerSpan {
  traceID: string;
  spanID: string;
  operationName: string;
  references: { refType: string; spanID: string }[];
  tags: { key: string; value: unknown }[];
}

/** The spans of a trace as Jaeger returns them; [] while it does not know the trace. */
async function traceFromJaeger(traceId: string): Promise<JaegerSpan[]> {
  const response = await fetch(`${process.env.MILLWRIGHT_TEST_JAEGER_URL}/api/traces/${traceId}`);
  if (!response.ok) return [];
  const body = (await response.json()) as { data: { spans: JaegerSpan[] }[] };
  return body.data.flatMap(({ spans }) => spans);
}

it('the backend joins what several processes sent, before and after a restart, into one trace without orphans', async () => {
  const endpoint = process.env.MILLWRIGHT_TEST_OTLP_URL ?? '';
  const uid = randomUUID();
  const traceId = traceIdOf(uid);
  const id = (node: string, attempt: number, phase: string) => spanIdOf(uid, node, attempt, phase);
  const start = Date.now() - 5_000;
  const at = { start, end: start + 1_000 };
  const [root, task, attempt] = [id('', 0, 'workflow'), id('build', 0, 'task'), id('build', 1, 'attempt')];

  // Children are emitted before their parents, and the parents by a later process.
  const agent = await startTelemetry({ serviceName: 'agent', endpoint });
  agent.emit({ ...at, traceId, spanId: id('build', 1, 'run'), parentSpanId: attempt, name: 'run build' });
  await agent.shutdown();
  const before = await startTelemetry({ serviceName: 'operator', endpoint });
  const published = messagingSpan({ operation: 'send', destination: 'millwright.work', messageId: `${uid}:1` });
  before.emit({
    ...at,
    ...published,
    traceId,
    spanId: id('build', 1, 'publish'),
    parentSpanId: attempt,
    kind: 'producer',
  });
  await before.shutdown();
  const after = await startTelemetry({ serviceName: 'operator', endpoint });
  after.emit({ ...at, traceId, spanId: attempt, parentSpanId: task, name: 'attempt build' });
  after.emit({ ...at, traceId, spanId: task, parentSpanId: root, name: 'task build' });
  after.emit({ ...at, traceId, spanId: root, name: 'workflow', status: { code: 'ok' } });
  await after.shutdown();

  await expect.poll(() => traceFromJaeger(traceId).then((spans) => spans.length), { timeout: 20_000 }).toBe(5);
  const spans = await traceFromJaeger(traceId);
  const ids = new Set(spans.map(({ spanID }) => spanID));
  const parents = spans.map(({ references }) => references.find(({ refType }) => refType === 'CHILD_OF')?.spanID);
  expect(parents.filter((parent) => parent === undefined)).toHaveLength(1);
  expect(parents.filter((parent) => parent !== undefined && !ids.has(parent))).toEqual([]);
  const tags = new Map(
    spans
      .find(({ operationName }) => operationName === 'send millwright.work')
      ?.tags.map(({ key, value }) => [key, value]),
  );
  expect(tags.get(attr.messagingSystem)).toBe('rabbitmq');
  expect(tags.get('span.kind')).toBe('producer');
});
