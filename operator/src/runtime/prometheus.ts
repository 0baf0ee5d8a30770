import type { Metrics } from '@millwright/otel';
import type { RuntimeMetrics } from './metrics.ts';
import type { Reflector } from './reflector.ts';
import type { KubeObject } from './resource.ts';

/** Binds the runtime's measurements to the operator's Prometheus metrics. */
export function prometheusMetrics(metrics: Metrics): RuntimeMetrics {
  const depth = metrics.gauge('millwright_workqueue_depth');
  const latency = metrics.histogram('millwright_workqueue_latency_seconds');
  const retries = metrics.counter('millwright_workqueue_retries_total');
  const reconciles = metrics.counter('millwright_reconcile_total');
  const durations = metrics.histogram('millwright_reconcile_duration_seconds');
  const watchEvents = metrics.counter('millwright_watch_events_total');
  const watchRestarts = metrics.counter('millwright_watch_restarts_total');
  const leader = metrics.gauge('millwright_leader');
  const epochs = metrics.gauge('millwright_leader_epoch');
  const eventsDropped = metrics.counter('millwright_kube_events_dropped_total');
  const requests = metrics.counter('millwright_kube_requests_total');
  const requestDurations = metrics.histogram('millwright_kube_request_duration_seconds');
  leader.set(0);
  return {
    queueDepth: (queue, keys) => depth.set({ queue }, keys),
    queueLatency: (queue, seconds) => latency.observe({ queue }, seconds),
    queueRetry: (queue) => retries.inc({ queue }),
    reconcile: (controller, outcome, seconds) => {
      reconciles.inc({ controller, outcome });
      durations.observe({ controller }, seconds);
    },
    watchEvent: (kind, type) => watchEvents.inc({ kind, type }),
    watchRestart: (kind, reason) => watchRestarts.inc({ kind, reason }),
    leader: (leading, epoch) => {
      leader.set(leading ? 1 : 0);
      epochs.set(epoch);
    },
    eventDropped: (reason) => eventsDropped.inc({ reason }),
    apiRequest: (method, status, seconds) => {
      requests.inc({ method, code: String(status) });
      requestDurations.observe({ method }, seconds);
    },
  };
}

/** Exports, at each scrape, how long ago each reflector heard from the API server and how much it holds. */
export function exportReflectors(
  metrics: Metrics,
  reflectors: readonly Pick<Reflector<KubeObject, string>, 'resource' | 'watchAgeMs' | 'size'>[],
): void {
  metrics.gauge('millwright_watch_age_seconds', (gauge) => {
    for (const reflector of reflectors) gauge.set({ kind: reflector.resource.kind }, reflector.watchAgeMs() / 1000);
  });
  metrics.gauge('millwright_store_objects', (gauge) => {
    for (const reflector of reflectors) gauge.set({ kind: reflector.resource.kind }, reflector.size());
  });
}
