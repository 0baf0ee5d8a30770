import type { Env, Hono } from 'hono';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** A registry with the metrics of the Node process (memory, event-loop lag, garbage collection). */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/**
 * Adds `/healthz` (the process answers), `/readyz` and `/metrics` (Prometheus text).
 * @param options.missing names what the process still waits for; ready when empty
 */
export function addHealth<E extends Env>(
  app: Hono<E>,
  options: { registry: Registry; missing: () => string[] | Promise<string[]> },
): void {
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => {
    const missing = await options.missing();
    return missing.length === 0 ? c.text('ready\n') : c.text(`waiting for: ${missing.join(', ')}\n`, 503);
  });
  app.get('/metrics', async (c) =>
    c.body(await options.registry.metrics(), 200, { 'content-type': options.registry.contentType }),
  );
}
