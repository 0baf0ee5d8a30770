import type { Metrics } from '@millwright/otel';
import type { Env, Hono } from 'hono';

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
