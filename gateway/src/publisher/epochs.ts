/** Refuses, for a task, what is behind what was decided about it already: an earlier attempt, or an earlier leader's word on the same one. */
export interface EpochFence {
  /** False when a higher attempt of the task, or the same in a higher epoch, was seen. */
  admits(task: string, attempt: number, epoch: number): boolean;
}

/** Remembers as many tasks. It only spares work: whether a branch may move is settled with the API server and the forge. */
const MAX_REMEMBERED = 50_000;

export function createEpochFence(): EpochFence {
  const highest = new Map<string, { attempt: number; epoch: number }>();
  return {
    admits: (task, attempt, epoch) => {
      const seen = highest.get(task);
      if (seen && (attempt < seen.attempt || (attempt === seen.attempt && epoch < seen.epoch))) return false;
      highest.delete(task);
      highest.set(task, { attempt, epoch });
      const oldest = highest.size > MAX_REMEMBERED ? highest.keys().next().value : undefined;
      if (oldest !== undefined) highest.delete(oldest);
      return true;
    },
  };
}
