import { hash, randomBytes } from 'node:crypto';

/** The trace of a workflow (or of a task that stands alone): 32 hex digits, the same in every process and after restarts. */
export function traceIdOf(workflowUid: string): string {
  return hash('sha256', workflowUid, 'hex').slice(0, 32);
}

/**
 * A span's id, known before the span exists, so that children may parent early: 16 hex digits.
 * @param uid the workflow's uid
 * @param node the task's name, or '' for the workflow itself
 * @param attempt from 1; 0 for what belongs to no attempt
 * @param phase what part of it, such as 'attempt', 'publish', 'claim', 'verify'
 */
export function spanIdOf(uid: string, node: string, attempt: number, phase: string): string {
  return hash('sha256', `${uid}|${node}|${attempt}|${phase}`, 'hex').slice(0, 16);
}

/** Ids for what has no identity of its own, such as one reconcile pass or one HTTP request. */
export function randomTraceId(): string {
  return randomBytes(16).toString('hex');
}

export function randomSpanId(): string {
  return randomBytes(8).toString('hex');
}
