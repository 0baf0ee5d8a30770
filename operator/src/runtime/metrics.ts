export type ReconcileOutcome = 'success' | 'conflict' | 'error' | 'terminal';

/**
 * What the runtime measures. The operator binds it to Prometheus; without it nothing is measured. Durations are in
 * seconds, as Prometheus has it. Implementations must not throw.
 */
export interface RuntimeMetrics {
  queueDepth(queue: string, depth: number): void;
  /** From the moment a key was due to the moment a worker took it. */
  queueLatency(queue: string, seconds: number): void;
  queueRetry(queue: string): void;
  reconcile(controller: string, outcome: ReconcileOutcome, seconds: number, key: string): void;
  /** Events that arrived from a watch. */
  watchEvent(kind: string, type: string): void;
  /** Lists, and watches that ended with an error, by reason. */
  watchRestart(kind: string, reason: string): void;
  leader(leading: boolean, epoch: number): void;
  eventDropped(reason: 'rate' | 'queue' | 'error'): void;
  apiRequest(method: string, status: number, seconds: number): void;
}

const nothing = () => undefined;

/** Measures nothing. */
export const noMetrics: RuntimeMetrics = {
  queueDepth: nothing,
  queueLatency: nothing,
  queueRetry: nothing,
  reconcile: nothing,
  watchEvent: nothing,
  watchRestart: nothing,
  leader: nothing,
  eventDropped: nothing,
  apiRequest: nothing,
};
