import {
  attr,
  type Metrics,
  parseTraceparent,
  randomSpanId,
  type Telemetry,
  traceIdOf,
  traceparent,
} from '@millwright/otel';
import type { Context, Env, Hono } from 'hono';
import { routePath } from 'hono/route';
import { bearerOf, scopeOf } from './bearer.ts';

declare module 'hono' {
  interface ContextVariableMap {
    /** Trace context of the request's own span: for whatever the request causes. Absent when it leaves no span. */
    traceparent: string | undefined;
  }
}

/**
 * Counts and times every request by the pattern of its route, never by its path, which has no bound; a request that is part of a trace
 * leaves a span, and its context in the variable `traceparent`. Add it before the routes.
 */
export function observeHttp<E extends Env>(app: Hono<E>, metrics: Metrics, telemetry: Telemetry): void {
  const requests = metrics.counter('millwright_http_requests_total');
  const durations = metrics.histogram('millwright_http_request_duration_seconds');
  app.use(async (c, next) => {
    const start = Date.now();
    const started = performance.now();
    const parent = telemetry.enabled ? parentOf(c) : undefined;
    const spanId = randomSpanId();
    if (parent) c.set('traceparent', traceparent(parent.traceId, spanId));
    await next();
    const milliseconds = performance.now() - started;
    const route = routePath(c, -1);
    const method = c.req.method;
    const { status } = c.res;
    requests.inc({ route, method, code: String(status) });
    durations.observe({ route, method }, milliseconds / 1000);
    // Whoever is not known has no say in what is kept.
    if (!parent || status === 401) return;
    telemetry.emit({
      traceId: parent.traceId,
      spanId,
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

/** The span that a request is caused by. What runs in a sandbox may name its own Workflow's trace only. */
function parentOf(c: Context): { traceId: string; spanId: string } | undefined {
  const parent = parseTraceparent(c.req.header('traceparent'));
  if (!parent?.sampled) return undefined;
  const attempt = scopeOf(bearerOf(c.req.header('authorization')));
  return attempt === undefined || traceIdOf(attempt.workflow) === parent.traceId ? parent : undefined;
}
