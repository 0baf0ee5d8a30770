/** Lets at most `limit` callers work at once; the others wait in their order. */
export function semaphore(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = limit;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}

/** One semaphore of 1 for each key, gone when nobody uses it. */
export function keyedLock(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const locks = new Map<string, { run: ReturnType<typeof semaphore>; users: number }>();
  return async (key, work) => {
    const lock = locks.get(key) ?? { run: semaphore(1), users: 0 };
    locks.set(key, lock);
    lock.users += 1;
    try {
      return await lock.run(work);
    } finally {
      lock.users -= 1;
      if (lock.users === 0) locks.delete(key);
    }
  };
}
