/** How an attempt can come to an early end. Told apart by class, never by text. */
import { type FailureClass, type Reason, reasons } from '@millwright/crds';
import { WorkspaceLostError } from './workspace/client.ts';

export interface Failure {
  class: FailureClass;
  reason: Reason;
  /** A sentence for people. */
  message: string;
  exitCode?: number;
  /** Last lines of the output. */
  summary?: string;
}

/** The attempt failed for a reason that is known. */
export class FailedError extends Error {
  override readonly name = 'FailedError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Somebody, or the clock, ended the attempt from outside. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly by: 'cancel' | 'eviction' | 'deadline';

  constructor(by: InterruptedError['by'], message: string) {
    super(message);
    this.by = by;
  }
}

/** What is reported for anything that was thrown while `kind` of work was done. */
export function outcomeOf(error: unknown, kind: 'run' | 'verify'): { outcome: 'failed' | 'cancelled' } & Failure {
  const own: FailureClass = kind === 'run' ? 'agent' : 'verification';
  if (error instanceof FailedError) return { outcome: 'failed', ...error.failure };
  if (error instanceof InterruptedError) {
    const { message } = error;
    if (error.by === 'cancel') return { outcome: 'cancelled', class: own, reason: reasons.CancelledByUser, message };
    if (error.by === 'deadline') return { outcome: 'failed', class: own, reason: reasons.DeadlineExceeded, message };
    return { outcome: 'failed', class: 'infrastructure', reason: reasons.Evicted, message };
  }
  const lost = error instanceof WorkspaceLostError;
  return {
    outcome: 'failed',
    class: 'infrastructure',
    reason: reasons.SandboxLost,
    message: lost
      ? 'the workspace container ended; it may have run out of memory'
      : `the agent failed: ${String(error)}`,
  };
}
