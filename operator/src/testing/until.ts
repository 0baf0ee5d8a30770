import { setTimeout as delay } from 'node:timers/promises';

const DEADLINE_MS = 120_000;

/**
 * Resolves with what `look` finds once it finds something. Rejects after two minutes, so that a slow machine is no failure.
 * @param shown what is told when it is never found
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  shown: () => unknown = () => undefined,
): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}: ${JSON.stringify(shown())}`);
    await delay(20);
  }
}
