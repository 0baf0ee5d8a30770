import { isConflict, isTooManyRequests, isUnanswered, KubeError, WritesForbiddenError } from './runtime/index.ts';

/**
 * What people are to read when an action has failed, in the words of who refused it; undefined for what is nobody's to mend: a lost race, an
 * API server that does not answer or has too much to do, the end of leadership.
 */
export function refusalOf(error: unknown): string | undefined {
  if (error instanceof WritesForbiddenError || isConflict(error) || isUnanswered(error) || isTooManyRequests(error))
    return undefined;
  if (error instanceof KubeError) return error.detail;
  if (!(error instanceof Error)) return String(error);
  // Failed calls of `fetch` say why in their cause only.
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/**
 * Runs an action; when it is refused, `report` says so before the error goes on to the controller, which tries again. A report that cannot be
 * written either is passed over: the first error is the one that matters.
 */
export async function reporting(run: () => Promise<void>, report: (words: string) => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const words = refusalOf(error);
    if (words !== undefined) await report(words).catch(() => {});
    throw error;
  }
}
