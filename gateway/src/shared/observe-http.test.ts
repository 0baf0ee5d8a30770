import { createMetrics, noTelemetry, traceIdOf, traceparent } from '@millwright/otel';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { tokenFor } from '../testing/git-host.ts';
import { recordingTelemetry } from '../testing/telemetry.ts';
import { observeHttp } from './observe-http.ts';

const parent = 'b7ad6b7169203331';

/** A request with these headers: its spans, and the trace context that its handler saw. */
async function request(headers: Record<string, string>, status: 200 | 401 | 502 = 200, enabled = true) {
  const { telemetry, spans } = recordingTelemetry();
  const app = new Hono();
  let context: string | undefined;
  observeHttp(app, createMetrics('git'), enabled ? telemetry : noTelemetry);
  app.get('/:namespace/:repository/info/refs', (c) => {
    context = c.get('traceparent');
    return c.text('', status);
  });
  await app.request('/team/app.git/info/refs', { headers });
  return { spans, context };
}

const own = traceparent(traceIdOf('wf-1'), parent);
const authorization = `Bearer ${tokenFor({ workflow: 'wf-1' })}`;

describe('a request that is part of a trace', () => {
  it('leaves a span below the one that caused it, above whatever it causes', async () => {
    const { spans, context } = await request({ traceparent: own, authorization });
    expect(spans).toMatchObject([
      {
        traceId: traceIdOf('wf-1'),
        parentSpanId: parent,
        name: 'GET /:namespace/:repository/info/refs',
        kind: 'server',
        attributes: { 'http.request.method': 'GET', 'http.response.status_code': 200 },
      },
    ]);
    expect(context).toBe(traceparent(traceIdOf('wf-1'), spans[0]?.spanId ?? ''));
  });

  it('is an error when the server failed', async () => {
    const { spans } = await request({ traceparent: own, authorization }, 502);
    expect(spans[0]?.status).toEqual({ code: 'error' });
  });

  it("may be in anybody's trace when it comes from no sandbox", async () => {
    const { spans } = await request({ traceparent: own, authorization: 'Bearer a-token-of-a-person' });
    expect(spans).toHaveLength(1);
  });

  const without: [string, Record<string, string>, (200 | 401)?, boolean?][] = [
    ['none is named', { authorization }],
    ['its sender keeps none', { traceparent: own.replace(/01$/, '00'), authorization }],
    ["an attempt names another Workflow's", { traceparent: traceparent(traceIdOf('wf-2'), parent), authorization }],
    ['the sender is unknown', { traceparent: own }, 401],
    ['there is no receiver', { traceparent: own, authorization }, 200, false],
  ];
  it.each(without)('leaves no span when %s', async (_, headers, status, enabled) => {
    const { spans, context } = await request(headers, status, enabled);
    expect(spans).toEqual([]);
    if (status !== 401) expect(context).toBeUndefined();
  });
});
