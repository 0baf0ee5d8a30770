import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again until the answer is yes. */
export async function poll(
  timeoutMs: number,
  intervalMs: number,
  failure: string,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${failure} in ${timeoutMs / 1000} s`);
    await sleep(intervalMs);
  }
}
