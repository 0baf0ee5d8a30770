import { setTimeout as sleep } from 'node:timers/promises';

export interface RetryOptions {
  attempts: number;
  /** Upper bound of the first delay; doubles with each attempt. The delay itself is random below it. */
  baseMs: number;
  signal: AbortSignal;
}

/**
 * Tries until an answer `settles` the matter, at most `attempts` times; returns the last answer either way.
 * @throws what `attempt` throws, and the signal's reason
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  settles: (answer: T) => boolean,
  { attempts, baseMs, signal }: RetryOptions,
): Promise<T> {
  for (let n = 1; ; n++) {
    const answer = await attempt();
    if (settles(answer) || n >= attempts) return answer;
    signal.throwIfAborted();
    await sleep(Math.random() * baseMs * 2 ** (n - 1), undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
