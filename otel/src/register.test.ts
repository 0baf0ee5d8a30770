import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isSampled } from './export.ts';
import { randomTraceId, spanIdOf, traceIdOf } from './ids.ts';
import { startTelemetry } from './register.ts';
import { type FinishedSpan, noTelemetry, type Telemetry } from './telemetry.ts';

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  links: { traceId: string; spanId: string }[];
  events: { name: string; timeUnixNano: string }[];
  status: { code: number; message?: string };
}
interface OtlpRequest {
  resourceSpans: { resource: { attributes: OtlpSpan['attributes'] }; scopeSpans: { spans: OtlpSpan[] }[] }[];
}

let receiver: Server;
let endpoint: string;
let received: OtlpRequest[];
let headers: (string | undefined)[];
let telemetry: Telemetry;

beforeEach(async () => {
  received = [];
  headers = [];
  receiver = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      headers.push(request.headers.authorization);
      received.push(JSON.parse(Buffer.concat(parts).toString('utf8')) as OtlpRequest);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await telemetry.shutdown();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

const uid = 'workflow-1';
const span = (fields: Partial<FinishedSpan> = {}): FinishedSpan => ({
  traceId: traceIdOf(uid),
  spanId: spanIdOf(uid, 'build', 1, 'attempt'),
  name: 'attempt build',
  start: 1_700_000_000_000,
  end: 1_700_000_001_500,
  ...fields,
});
const spans = () => received.flatMap((one) => one.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)));

describe('telemetry that is on', () => {
  it('sends a finished span with the ids, times, links and status it was given', async () => {
    telemetry = await startTelemetry({
      serviceName: 'operator',
      instanceId: 'pod-1',
      endpoint: `${endpoint}/`,
      headers: { authorization: 'Bearer x' },
      attributes: { 'k8s.cluster.name': 'test' },
    });
    const other = traceIdOf('other');
    telemetry.emit(
      span({
        parentSpanId: spanIdOf(uid, '', 0, 'workflow'),
        kind: 'consumer',
        start: '2026-01-01T00:00:00.123Z',
        end: new Date('2026-01-01T00:00:01Z'),
        attributes: { text: 'a', number: 1.5, list: ['x'], absent: undefined },
        links: [
          { traceId: other, spanId: spanIdOf('other', '', 0, 'x') },
          { traceId: 'invalid', spanId: 'invalid' },
        ],
        events: [{ name: 'claimed', time: '2026-01-01T00:00:00.500Z' }],
        status: { code: 'error', message: 'TestsFailed' },
      }),
    );
    await telemetry.flush();
    expect(spans()).toHaveLength(1);
    expect(spans()[0]).toMatchObject({
      traceId: traceIdOf(uid),
      spanId: spanIdOf(uid, 'build', 1, 'attempt'),
      parentSpanId: spanIdOf(uid, '', 0, 'workflow'),
      name: 'attempt build',
      kind: 5,
      startTimeUnixNano: '1767225600123000000',
      endTimeUnixNano: '1767225601000000000',
      links: [{ traceId: other }],
      events: [{ name: 'claimed', timeUnixNano: '1767225600500000000' }],
      status: { code: 2, message: 'TestsFailed' },
    });
    expect(spans()[0]?.attributes.map(({ key }) => key)).toEqual(['text', 'number', 'list']);
    const resource = Object.fromEntries(
      received[0]?.resourceSpans[0]?.resource.attributes.map(({ key, value }) => [key, value.stringValue]) ?? [],
    );
    expect(resource).toEqual({
      'service.name': 'operator',
      'service.instance.id': 'pod-1',
      'k8s.cluster.name': 'test',
    });
    expect(headers).toEqual(['Bearer x']);
  });

  it('batches: a thousand spans are a few requests', async () => {
    telemetry = await startTelemetry({ serviceName: 'operator', endpoint });
    for (let i = 0; i < 1_000; i += 1) telemetry.emit(span({ spanId: spanIdOf(uid, `task-${i}`, 1, 'attempt') }));
    await telemetry.shutdown();
    expect(spans()).toHaveLength(1_000);
    expect(received.length).toBeLessThanOrEqual(3);
    telemetry.emit(span());
    await telemetry.flush();
    expect(spans()).toHaveLength(1_000);
  });

  const invalid = [
    { name: 'a short trace id', fields: { traceId: 'abc' } },
    { name: 'a span id of zeros', fields: { spanId: '0'.repeat(16) } },
    { name: 'an unreadable time', fields: { start: 'yesterday' } },
    { name: 'an invalid date', fields: { end: new Date(Number.NaN) } },
  ];
  it.each(invalid)('drops a span with $name, and goes on', async ({ fields }) => {
    telemetry = await startTelemetry({ serviceName: 'operator', endpoint });
    telemetry.emit(span(fields));
    telemetry.emit(span({ name: 'good' }));
    await telemetry.flush();
    expect(spans().map(({ name }) => name)).toEqual(['good']);
  });

  it('an end before the start, as two clocks may give, becomes no duration', async () => {
    telemetry = await startTelemetry({ serviceName: 'operator', endpoint });
    telemetry.emit(span({ start: 5_000, end: 4_000 }));
    await telemetry.flush();
    expect(spans()[0]?.endTimeUnixNano).toBe('5000000000');
  });

  it('keeps the same share of traces everywhere, whole', async () => {
    telemetry = await startTelemetry({ serviceName: 'operator', endpoint, sampleRatio: 0.25 });
    const traces = Array.from({ length: 400 }, (_, i) => traceIdOf(`workflow-${i}`));
    for (const traceId of traces) {
      telemetry.emit(span({ traceId, name: 'root' }));
      telemetry.emit(span({ traceId, spanId: spanIdOf(traceId, 'x', 1, 'child'), name: 'child' }));
    }
    await telemetry.flush();
    const roots = new Set(
      spans()
        .filter(({ name }) => name === 'root')
        .map(({ traceId }) => traceId),
    );
    const children = new Set(
      spans()
        .filter(({ name }) => name === 'child')
        .map(({ traceId }) => traceId),
    );
    expect(children).toEqual(roots);
    expect(roots).toEqual(new Set(traces.filter((traceId) => telemetry.sampled(traceId))));
    expect(roots.size).toBeGreaterThan(60);
    expect(roots.size).toBeLessThan(140);
    const id = randomTraceId();
    expect([isSampled(id, 0), isSampled(id, 1)]).toEqual([false, true]);
  });

  it('a receiver that is away costs spans, and does not hold up the end of the process for long', async () => {
    telemetry = await startTelemetry({ serviceName: 'operator', endpoint: 'http://127.0.0.1:1' });
    telemetry.emit(span());
    const started = performance.now();
    await telemetry.shutdown();
    expect(performance.now() - started).toBeLessThan(4_000);
  }, 20_000);
});

describe('telemetry that is off', () => {
  const off = [
    { name: 'there is no receiver', config: { serviceName: 'x' } },
    { name: 'it is disabled', config: { serviceName: 'x', endpoint: 'http://127.0.0.1:1', disabled: true } },
  ];
  it.each(off)('does nothing when $name', async ({ config }) => {
    telemetry = await startTelemetry(config);
    expect(telemetry).toBe(noTelemetry);
    telemetry.emit(span());
    await telemetry.flush();
  });

  it('loads nothing of the SDK', () => {
    const modulesLoaded = (config: object) => {
      const program = `
        import { registerHooks } from 'node:module';
        let loaded = 0;
        registerHooks({
          resolve(name, context, next) {
            if (name.includes('opentelemetry')) loaded += 1;
            return next(name, context);
          },
        });
        const { startTelemetry } = await import('${new URL('./register.ts', import.meta.url)}');
        const telemetry = await startTelemetry(${JSON.stringify(config)});
        await telemetry.shutdown();
        console.log(loaded);`;
      return Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }));
    };
    expect(modulesLoaded({ serviceName: 'x' })).toBe(0);
    expect(modulesLoaded({ serviceName: 'x', endpoint })).toBeGreaterThan(0);
  });
});
