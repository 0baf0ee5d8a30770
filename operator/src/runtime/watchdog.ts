import type { Clock } from './clock.ts';

/** Why a watch was cut short: nothing heard for too long, a list is due, or the server forgot its own timeout. */
export type Expiry = 'silent' | 'relist' | 'overrun';

/** Aborts `signal` when a watch must not go on. All times are the clock's monotonic milliseconds. */
export function createWatchdog(
  clock: Clock,
  limits: { silenceMs: number; relistAt: number; overrunAt: number; lastHeard: () => number },
): { readonly signal: AbortSignal; expired(): Expiry | undefined; stop(): void } {
  const abort = new AbortController();
  let expiry: Expiry | undefined;
  let cancel: () => void = () => undefined;

  function check(): void {
    const now = clock.now();
    const silentAt = limits.lastHeard() + limits.silenceMs;
    if (now >= silentAt) expiry = 'silent';
    else if (now >= limits.relistAt) expiry = 'relist';
    else if (now >= limits.overrunAt) expiry = 'overrun';
    if (expiry !== undefined) abort.abort();
    else cancel = clock.after(Math.max(1, Math.min(silentAt, limits.relistAt, limits.overrunAt) - now), check);
  }

  check();
  return { signal: abort.signal, expired: () => expiry, stop: () => cancel() };
}
