import type { TaskAction } from './actions.ts';
import type { TaskObservation, Unsettled } from './observation.ts';
import { attemptOf } from './status.ts';

/** Ids of those that are there. */
export const ids = (...messages: (Unsettled<unknown> | undefined)[]): number[] =>
  messages.flatMap((m) => (m ? [m.id] : []));

/**
 * How long a result is held before a status is written only to make its message superfluous, in milliseconds. Most tasks go on within it and
 * are spared that write. Held for as long as a verification waits for a sandbox, or a branch for its forge, results would fill the prefetch
 * of the queue on which claims and heartbeats come; a message that is a fact until it is written is to be written in the end.
 */
export const HOLD_MS = 5_000;
export const isHeldLong = (held: Unsettled<unknown> | undefined, now: number): boolean =>
  held !== undefined && now - held.receivedAt >= HOLD_MS;

/** Answers and settles whatever is in the inbox of a task that wants none of it. */
export function dismiss({ inbox }: TaskObservation, reason: string): TaskAction[] {
  const actions: TaskAction[] = inbox.claims.map((claim) => ({ do: 'drop', claim: claim.id, reason }));
  const messages = ids(inbox.runResult, inbox.verifyResult, inbox.effectResult);
  if (messages.length > 0) actions.push({ do: 'settle', messages });
  return actions;
}

/**
 * The observation without what other attempts left behind, and the messages of attempts that are over. A result is proved genuine when it
 * arrives, but the attempt may end (its pod lost, its time over) before the result is looked at: it must not count for the next one.
 */
export function withoutStale(observed: TaskObservation): { observed: TaskObservation; stale: number[] } {
  const attempt = attemptOf(observed.task);
  const { claims, runResult, verifyResult, effectResult } = observed.inbox;
  const isCurrent = (held: { message: { attempt: number } } | undefined) => held?.message.attempt === attempt;
  const stale = [runResult, verifyResult, effectResult].flatMap((held) =>
    held && held.message.attempt < attempt ? [held.id] : [],
  );
  const inbox = {
    claims,
    ...(runResult && isCurrent(runResult) ? { runResult } : {}),
    ...(verifyResult && isCurrent(verifyResult) ? { verifyResult } : {}),
    ...(effectResult && isCurrent(effectResult) ? { effectResult } : {}),
  };
  return { observed: { ...observed, inbox }, stale };
}
