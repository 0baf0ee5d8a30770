/** Time as the runtime sees it, so that tests can turn it. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin: for durations and deadlines. */
  now(): number;
  /** Milliseconds since the epoch: only for what other programs read. */
  wall(): number;
  /** Calls `run` once after `ms`; the returned function cancels it. Timers keep the process alive. */
  after(ms: number, run: () => void): () => void;
}

/** The longest delay `setTimeout` takes (2^31 - 1 ms, 24.8 days); a longer one would fire at once. */
const LONGEST_TIMER = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(ms, LONGEST_TIMER));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or early when the signal aborts; never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = () => {
      cancel();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const cancel = clock.after(ms, wake);
    signal?.addEventListener('abort', wake, { once: true });
  });
}
