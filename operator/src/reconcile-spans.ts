import { attr, randomSpanId, randomTraceId, type Telemetry, traceIdOf } from '@millwright/otel';
import { workflowOf } from './agent-task/owner.ts';
import type { Cluster } from './cluster.ts';
import { type Clock, type ReconcileOutcome, type RuntimeMetrics, systemClock } from './runtime/index.ts';
import { TokenBucket } from './runtime/token-bucket.ts';
import { workflowSpan } from './tracing.ts';

/**
 * A pass that finds nothing to do never leaves the process and takes microseconds. One that takes longer has waited for the API server or the
 * broker: it did something.
 */
const ACTED_SECONDS = 0.001;
const SLOW_SECONDS = 1;
/**
 * What acted is told at this rate, and what was slow or failed at another such: on an idle cluster every pass that matters is seen, and under
 * load, where each would cost a tenth of a task's spans and say nothing new, tracing costs no more for it.
 */
const RATE = { burst: 20, perSecond: 10 };

export interface ReconcileSpansOptions {
  telemetry: Telemetry;
  cluster: Pick<Cluster, 'tasks' | 'workflows'>;
  clock?: Clock;
}

/** The same metrics, which also tell passes of reconcilers as spans: each a trace of its own, linked to the Workflow that it was about. */
export function withReconcileSpans(metrics: RuntimeMetrics, options: ReconcileSpansOptions): RuntimeMetrics {
  const { telemetry, cluster, clock = systemClock } = options;
  if (!telemetry.enabled) return metrics;
  const trouble = new TokenBucket(RATE, clock.now());
  const acted = new TokenBucket(RATE, clock.now());

  const aboutWhich = (controller: string, key: string): string | undefined => {
    if (controller === 'workflow') return cluster.workflows.store.get(key)?.metadata.uid;
    const task = controller === 'agent-task' ? cluster.tasks.store.get(key) : undefined;
    return task && workflowOf(task)?.uid;
  };

  function tell(controller: string, outcome: ReconcileOutcome, seconds: number, key: string): void {
    const failed = outcome === 'error' || outcome === 'terminal';
    if (!failed && seconds < ACTED_SECONDS) return;
    const bucket = failed || seconds >= SLOW_SECONDS ? trouble : acted;
    if (!bucket.has(clock.now())) return;
    bucket.take();
    const uid = aboutWhich(controller, key);
    const end = clock.wall();
    telemetry.emit({
      traceId: randomTraceId(),
      spanId: randomSpanId(),
      name: `reconcile ${controller}`,
      start: end - seconds * 1000,
      end,
      attributes: {
        [attr.controller]: controller,
        [attr.key]: key,
        [attr.outcome]: outcome,
        [attr.namespace]: key.slice(0, key.indexOf('/')),
        [attr.workflowUid]: uid,
      },
      ...(uid === undefined ? {} : { links: [{ traceId: traceIdOf(uid), spanId: workflowSpan(uid) }] }),
      ...(failed ? { status: { code: 'error', message: outcome } } : {}),
    });
  }

  return {
    ...metrics,
    reconcile(controller, outcome, seconds, key) {
      metrics.reconcile(controller, outcome, seconds, key);
      tell(controller, outcome, seconds, key);
    },
  };
}
