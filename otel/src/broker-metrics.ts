import type { Metrics } from './metrics.ts';

/** What a connection to the broker tells of what it does; see `BrokerOptions`. */
export interface BrokerMetrics {
  onConfirm(exchange: string, milliseconds: number): void;
  onFailure(exchange: string, error: Error): void;
  onDeadLetter(queue: string, reason: string): void;
}

/** Counts what a process publishes and buries. Reasons begin with a word, which a colon ends; the rest has no bound and is left out. */
export function brokerMetrics(metrics: Metrics): BrokerMetrics {
  const confirms = metrics.histogram('millwright_publish_confirm_seconds');
  const failures = metrics.counter('millwright_publish_failures_total');
  const deadLetters = metrics.counter('millwright_dead_letters_total');
  return {
    onConfirm: (_exchange, milliseconds) => confirms.observe(milliseconds / 1000),
    onFailure: (_exchange, error) => failures.inc({ reason: error.name }),
    onDeadLetter: (_queue, reason) => deadLetters.inc({ reason: reason.split(':', 1)[0] ?? '' }),
  };
}
