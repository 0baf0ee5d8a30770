import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEventRecorder, type EventRecorder, type EventRecorderOptions } from './events.ts';
import { createKubeClient, type KubeClient } from './kube.ts';
import { noMetrics } from './metrics.ts';
import { type FakeApiServer, json, refusal, startFakeApiServer } from './testing/fake-api-server.ts';
import { type FakeClock, fakeClock } from './testing/fake-clock.ts';
import { widget } from './testing/widgets.ts';

let server: FakeApiServer;
let kube: KubeClient;
let clock: FakeClock;
let dropped: string[];
let recorder: EventRecorder;

beforeEach(async () => {
  server = await startFakeApiServer('events.k8s.io/v1', 'Event');
  kube = await createKubeClient({ credentials: server.credentials });
  clock = fakeClock();
  dropped = [];
});
afterEach(async () => {
  await server.close();
  await kube.close();
});

function start(options: Partial<EventRecorderOptions> = {}): void {
  const metrics = { ...noMetrics, eventDropped: (reason: string) => dropped.push(reason) };
  recorder = createEventRecorder({
    kube,
    component: 'millwright.dev/operator',
    instance: 'pod-1',
    clock,
    metrics,
    ...options,
  });
}
const written = () => server.requests.filter(({ method }) => method !== 'GET');
const bodies = () => written().map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const sent = async (count: number) => {
  await clock.advance(250);
  await expect.poll(() => written().length).toBe(count);
};

describe('an event recorder', () => {
  it('writes what happened to an object', async () => {
    start();
    recorder.normal(widget('a', 1), 'Queued', 'waits for a worker', { related: widget('b', 2) });
    await sent(1);
    expect(bodies()[0]).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      metadata: { namespace: 'default' },
      type: 'Normal',
      reason: 'Queued',
      action: 'Queued',
      note: 'waits for a worker',
      regarding: { kind: 'Widget', name: 'a', uid: 'uid-a' },
      related: { name: 'b' },
      reportingController: 'millwright.dev/operator',
      reportingInstance: 'pod-1',
    });
  });

  it('counts repetitions on the first event, with one write a minute', async () => {
    start();
    recorder.warning(widget('a', 1), 'Failed', 'no');
    await sent(1);
    for (let i = 0; i < 500; i += 1) recorder.warning(widget('a', i), 'Failed', 'no');
    await clock.advance(59_000);
    expect(written().length).toBe(1);
    await clock.advance(1_000);
    await sent(2);
    expect(written()[1]?.method).toBe('PATCH');
    expect(bodies()[1]).toMatchObject({ series: { count: 501 } });
    await clock.advance(120_000);
    expect(written().length).toBe(2);
  });

  it('limits events about one object, and lets others through', async () => {
    start({ perObject: { burst: 2, perSecond: 0.1 } });
    for (let i = 0; i < 10; i += 1) recorder.normal(widget('busy', 1), 'Step', `step ${i}`);
    recorder.normal(widget('other', 1), 'Step', 'step');
    recorder.warning(widget('busy', 1), 'Failed', 'a warning has its own rate');
    await sent(4);
    expect(dropped).toEqual(Array(8).fill('rate'));
    await clock.advance(10_000);
    recorder.normal(widget('busy', 1), 'Step', 'later');
    await sent(5);
  });

  it('costs a fan-out of 1,000 tasks few writes, and warnings still get through', async () => {
    start();
    for (let i = 0; i < 1_000; i += 1) {
      for (const reason of ['Queued', 'Dispatched', 'Succeeded'])
        recorder.normal(widget(`task-${i}`, 1), reason, reason);
    }
    recorder.warning(widget('task-999', 1), 'AttemptFailed', 'sandbox lost');
    await sent(41);
    expect(bodies().filter(({ type }) => type === 'Warning').length).toBe(1);
  });

  it('never waits for an API server that is away, and drops what the queue cannot hold', async () => {
    start({ queueLimit: 5, global: { burst: 1_000, perSecond: 0 } });
    for (let i = 0; i < 20; i += 1) recorder.normal(widget(`w${i}`, 1), 'Step', 'step');
    expect(dropped).toEqual(Array(15).fill('queue'));
  });

  it('survives refusals', async () => {
    start();
    server.fault = (_request, response) => {
      const { status, body } = refusal(403, 'Forbidden', 'namespace is being terminated');
      json(response, status, body);
      return true;
    };
    recorder.normal(widget('a', 1), 'Queued', 'x');
    await sent(1);
    await expect.poll(() => dropped).toEqual(['error']);
    server.fault = undefined;
    recorder.normal(widget('b', 1), 'Queued', 'x');
    await sent(2);
  });

  it('sends what waits when it stops, and nothing after', async () => {
    start();
    recorder.normal(widget('a', 1), 'Queued', 'x');
    await recorder.stop();
    expect(written().length).toBe(1);
    recorder.normal(widget('b', 1), 'Queued', 'x');
    await clock.advance(1_000);
    expect(written().length).toBe(1);
  });

  it('stops in time although the API server hangs', async () => {
    start();
    server.fault = () => true;
    recorder.normal(widget('a', 1), 'Queued', 'x');
    let stopped = false;
    const stopping = recorder.stop({ graceMs: 100 }).then(() => {
      stopped = true;
    });
    await expect.poll(() => written().length).toBe(1);
    expect(stopped).toBe(false);
    await clock.advance(100);
    await stopping;
  });

  it('cuts notes that are too long for the API', async () => {
    start();
    recorder.normal(widget('a', 1), 'Long', 'é'.repeat(5_000));
    await sent(1);
    expect(Buffer.byteLength(String(bodies()[0]?.note))).toBeLessThanOrEqual(1_024);
  });
});
