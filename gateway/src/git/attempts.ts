import type { AttemptClaims } from '@millwright/crds';
import type { Logger } from '@millwright/otel';
import { KubeError } from '../shared/kube.ts';
import { isPast, type ReadTask } from '../shared/tasks.ts';

/** Whether the attempt of a token is over, as far as the task itself tells. Never throws. */
export type IsOver = (claims: AttemptClaims) => Promise<boolean>;

export interface AttemptOptions {
  read: ReadTask;
  log: Logger;
  /** Milliseconds since 1970. */
  now?: () => number;
  patienceMs?: number;
}

/** The end of an attempt is told by a message at once; a message that was missed is made up for within so long. */
const FRESH_MS = 60_000;
/** Nothing ends while the API server is away, and what is under way goes on: it is asked again soon. */
const UNKNOWN_MS = 5_000;
const PATIENCE_MS = 3_000;
const MAX_KNOWN = 10_000;

/**
 * Asks the API server about an attempt when it is first heard of, and now and then, so that a process that has just started refuses what an
 * earlier one knew to be over. An API server that does not answer is no reason to refuse.
 */
export function createIsOver({ read, log, now = Date.now, patienceMs = PATIENCE_MS }: AttemptOptions): IsOver {
  const known = new Map<string, { until: number; over: Promise<boolean> }>();

  const ask = async (claims: AttemptClaims, entry: { until: number }): Promise<boolean> => {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new KubeError(0, 'the Kubernetes API does not answer')), patienceMs);
    });
    try {
      return isPast(await Promise.race([read(claims.ns, claims.taskName), patience]), claims.task, claims.attempt);
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return true;
      log.warn('nobody could tell whether an attempt is over', { task: claims.taskName, error });
      entry.until = now() + UNKNOWN_MS;
      return false;
    } finally {
      clearTimeout(timer);
    }
  };

  return (claims) => {
    const id = `${claims.task}:${claims.attempt}`;
    const fresh = known.get(id);
    if (fresh && fresh.until > now()) return fresh.over;
    if (known.size >= MAX_KNOWN) known.clear();
    const entry = { until: now() + FRESH_MS, over: Promise.resolve(false) };
    known.set(id, entry);
    entry.over = ask(claims, entry);
    return entry.over;
  };
}
