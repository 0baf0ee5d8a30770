import { type FinishedSpan, noTelemetry, silentLogger, traceIdOf } from '@millwright/otel';
import { beforeEach, describe, expect, test } from 'vitest';
import { withReconcileSpans } from './reconcile-spans.ts';
import { noMetrics, type RuntimeMetrics, startController } from './runtime/index.ts';
import { fakeClock } from './runtime/testing/fake-clock.ts';
import { aChild, aWorkflow } from './testing/objects.ts';
import { workflowSpan } from './tracing.ts';

const flow = aWorkflow();
const cluster = {
  workflows: { store: new Map([['team/flow', flow]]) },
  tasks: { store: new Map([['team/flow-one', aChild(flow, 'one')]]) },
} as never;

let spans: FinishedSpan[];
let counted: unknown[][];
let clock: ReturnType<typeof fakeClock>;
let metrics: RuntimeMetrics;
beforeEach(() => {
  spans = [];
  counted = [];
  clock = fakeClock();
  metrics = withReconcileSpans(
    { ...noMetrics, reconcile: (...values) => void counted.push(values) },
    { telemetry: { ...noTelemetry, enabled: true, emit: (span) => void spans.push(span) }, cluster, clock },
  );
});

describe('a pass', () => {
  test.each([
    ['agent-task', 'team/flow-one'],
    ['workflow', 'team/flow'],
  ])('of %s that acted is a trace of its own, linked to the Workflow', (controller, key) => {
    metrics.reconcile(controller, 'success', 0.25, key);
    metrics.reconcile(controller, 'success', 0.25, key);
    const [span, other] = spans;
    expect(span).toMatchObject({
      name: `reconcile ${controller}`,
      attributes: {
        'millwright.reconcile.key': key,
        'millwright.reconcile.outcome': 'success',
        'k8s.namespace.name': 'team',
      },
      links: [{ traceId: traceIdOf('uid-flow'), spanId: workflowSpan('uid-flow') }],
    });
    expect(Number(span?.end) - Number(span?.start)).toBe(250);
    expect(span?.parentSpanId).toBeUndefined();
    expect(new Set([span?.traceId, other?.traceId, traceIdOf('uid-flow')]).size).toBe(3);
  });

  test('about no Workflow has no link', () => {
    metrics.reconcile('agent-pool', 'success', 0.01, 'team/pool');
    expect(spans[0]?.links).toBeUndefined();
  });

  test('that found nothing to do is counted and not told, unless it failed', () => {
    metrics.reconcile('workflow', 'success', 0.0002, 'team/flow');
    metrics.reconcile('workflow', 'terminal', 0.0002, 'team/flow');
    expect(counted).toHaveLength(2);
    expect(spans.map(({ status }) => status)).toEqual([{ code: 'error', message: 'terminal' }]);
  });

  test('that acted is one of many under load, which keep none that failed or was slow from being told', () => {
    for (let n = 0; n < 1_000; n++)
      metrics.reconcile('agent-task', n % 2 ? 'success' : 'conflict', 0.01, 'team/flow-one');
    expect(spans).toHaveLength(20);
    metrics.reconcile('agent-task', 'error', 0.01, 'team/flow-one');
    metrics.reconcile('agent-task', 'success', 3, 'team/flow-one');
    expect(spans).toHaveLength(22);
    clock.freeze(1_000);
    for (let n = 0; n < 1_000; n++) metrics.reconcile('agent-task', 'success', 0.01, 'team/flow-one');
    expect(spans).toHaveLength(32);
  });

  test('is told by its controller', async () => {
    const controller = startController({
      name: 'agent-task',
      workers: 1,
      logger: silentLogger,
      metrics,
      reconcile: () => Promise.reject(new Error('no')),
    });
    controller.enqueue('team/flow-one');
    await expect.poll(() => spans.length).toBeGreaterThan(0);
    await controller.stop();
    expect(spans[0]?.attributes?.['millwright.reconcile.key']).toBe('team/flow-one');
  });
});

test('without a receiver nothing is added', () => {
  expect(withReconcileSpans(noMetrics, { telemetry: noTelemetry, cluster })).toBe(noMetrics);
});
