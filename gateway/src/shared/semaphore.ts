/** Lets at most `limit` callers work at once, and at most `perKey` of one key, so that no key can keep the others out. They come in their order. */
export function fairSemaphore(limit: number, perKey: number): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const busy = new Map<string, number>();
  const waiting: { key: string; go: () => void }[] = [];
  let total = 0;
  const take = (key: string): boolean => {
    const own = busy.get(key) ?? 0;
    if (total >= limit || own >= perKey) return false;
    busy.set(key, own + 1);
    total += 1;
    return true;
  };
  const release = (key: string): void => {
    total -= 1;
    const own = (busy.get(key) ?? 0) - 1;
    if (own > 0) busy.set(key, own);
    else busy.delete(key);
    const next = waiting.findIndex((caller) => take(caller.key));
    if (next >= 0) waiting.splice(next, 1)[0]?.go();
  };
  return async (key, work) => {
    if (!take(key)) await new Promise<void>((go) => waiting.push({ key, go }));
    try {
      return await work();
    } finally {
      release(key);
    }
  };
}

/** One at a time for each key. */
export const keyedLock = () => fairSemaphore(Number.POSITIVE_INFINITY, 1);
