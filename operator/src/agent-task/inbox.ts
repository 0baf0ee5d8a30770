import type { TaskAction } from './actions.ts';
import type { TaskObservation, Unsettled } from './observation.ts';
import { attemptOf } from './status.ts';

/** Ids of those that are there. */
export const ids = (...messages: (Unsettled<unknown> | undefined)[]): number[] =>
  messages.flatMap((m) => (m ? [m.id] : []));

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
