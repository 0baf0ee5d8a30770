import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 300;

/**
 * Asks again and again until the answer is the wanted one. A question that fails, because a server is away, is asked again too.
 *
 * @param wanted throws what will never change, and returns false for what may
 * @throws Error with the last answer when the time is over
 */
export async function until<T>(
  ask: () => Promise<T>,
  wanted: (answer: T) => boolean,
  timeoutSeconds: number,
): Promise<T> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const answer = await ask().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if ('value' in answer && wanted(answer.value)) return answer.value;
    if (performance.now() > deadline) {
      const last = 'value' in answer ? JSON.stringify(answer.value).slice(0, 2000) : String(answer.error);
      throw new Error(`not so after ${timeoutSeconds} s: ${last}`);
    }
    await delay(POLL_MS);
  }
}
