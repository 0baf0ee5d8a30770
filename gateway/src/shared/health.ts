import { attr, type Metrics, parseTraceparent, randomSpanId, type Telemetry } from '@millwright/otel';
import type { Env, Hono } from 'hono';
import { routePath } from 'hono/route';

/**
 * Adds `/healthz` (the process answers), `/readyz` and `/metrics` (Prometheus text).
 * @param options.missing names what the process still waits for; ready when empty
 */
export function addHealth<E extends Env>(
  app: Hono<E>,
  options: { metrics: Metrics; missing: () => string[] | Promise<string[]> },
): void {
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => {
    const missing = await options.missing();
    return missing.length === 0 ? c.text('ready\n') : c.text(`waiting for: ${missing.join(', ')}\n`, 503);
  });
  app.get('/metrics', async (c) => {
    const text = await options.metrics.text();
    return c.body(text, 200, { 'content-type': options.metrics.contentType });
  });
}

/**
 * Counts and times every request by the pattern of its route, never by its path, which has no bound; a request that is part of a trace
 * leaves a span. Add it before the routes.
 */
export function observeHttp<E extends Env>(app: Hono<E>, metrics: Metrics, telemetry: Telemetry): void {
  const requests = metrics.counter('millwright_http_requests_total');
  const durations = metrics.histogram('millwright_http_request_duration_seconds');
  app.use(async (c, next) => {
    const start = Date.now();
    const started = performance.now();
    await next();
    const milliseconds = performance.now() - started;
    const route = routePath(c, -1);
    const method = c.req.method;
    const { status } = c.res;
    requests.inc({ route, method, code: String(status) });
    durations.observe({ route, method }, milliseconds / 1000);
    const parent = parseTraceparent(c.req.header('traceparent'));
    if (!parent?.sampled || !telemetry.enabled) return;
    telemetry.emit({
      traceId: parent.traceId,
      spanId: randomSpanId(),
      parentSpanId: parent.spanId,
      name: `${method} ${route}`,
      kind: 'server',
      start,
      end: start + milliseconds,
      attributes: { [attr.httpMethod]: method, [attr.httpRoute]: route, [attr.httpStatus]: status },
      ...(status >= 500 ? { status: { code: 'error' } } : {}),
    });
  });
}
