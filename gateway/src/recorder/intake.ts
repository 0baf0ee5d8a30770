/** Things that wait to be taken in batches, by one taker. */
export interface Intake<T> {
  add(item: T): void;
  /** Takes a batch as soon as it is full or its first has waited long enough. Empty only when the signal has aborted. */
  next(signal: AbortSignal): Promise<T[]>;
  /** Takes whatever is there. */
  drain(): T[];
}

/**
 * @param size of a batch, at most
 * @param waitMs how long the first of a batch waits for others
 */
export function createIntake<T>(size: number, waitMs: number): Intake<T> {
  const waiting: T[] = [];
  let added = () => {};

  function until(enough: () => boolean, signal: AbortSignal, limitMs?: number): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || enough()) return resolve();
      const timer = limitMs === undefined ? undefined : setTimeout(done, limitMs);
      signal.addEventListener('abort', done);
      added = () => {
        if (enough()) done();
      };
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        added = () => {};
        resolve();
      }
    });
  }

  return {
    add(item) {
      waiting.push(item);
      added();
    },
    async next(signal) {
      await until(() => waiting.length > 0, signal);
      await until(() => waiting.length >= size, signal, waitMs);
      return signal.aborted ? [] : waiting.splice(0, size);
    },
    drain: () => waiting.splice(0),
  };
}
