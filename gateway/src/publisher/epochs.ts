/** Refuses what an earlier leader decided once a later one has spoken about the same attempt. */
export interface EpochFence {
  /** False when a higher epoch was seen for the attempt. */
  admits(task: string, attempt: number, epoch: number): boolean;
}

/** Remembers as many attempts; what is older than that is settled long since, and leases with the observed value still guard the branch. */
const MAX_REMEMBERED = 50_000;

export function createEpochFence(): EpochFence {
  const highest = new Map<string, number>();
  return {
    admits: (task, attempt, epoch) => {
      const key = `${task}:${attempt}`;
      const seen = highest.get(key) ?? -1;
      if (epoch < seen) return false;
      highest.delete(key);
      highest.set(key, epoch);
      const oldest = highest.size > MAX_REMEMBERED ? highest.keys().next().value : undefined;
      if (oldest !== undefined) highest.delete(oldest);
      return true;
    },
  };
}
