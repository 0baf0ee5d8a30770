import type { Metrics } from '@millwright/otel';
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

/** Counts and times every request by the pattern of its route, never by its path, which has no bound. Add it before the routes. */
export function addHttpMetrics<E extends Env>(app: Hono<E>, metrics: Metrics): void {
  const requests = metrics.counter('millwright_http_requests_total');
  const durations = metrics.histogram('millwright_http_request_duration_seconds');
  app.use(async (c, next) => {
    const started = performance.now();
    await next();
    const route = routePath(c, -1);
    const method = c.req.method;
    requests.inc({ route, method, code: String(c.res.status) });
    durations.observe({ route, method }, (performance.now() - started) / 1000);
  });
}
