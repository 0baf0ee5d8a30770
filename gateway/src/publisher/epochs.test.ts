import { expect, it } from 'vitest';
import { createEpochFence } from './epochs.ts';

it('goes forward in attempts, and in epochs of the same attempt; each task on its own', () => {
  const fence = createEpochFence();
  const seen: [task: string, attempt: number, epoch: number, admitted: boolean][] = [
    ['a', 1, 5, true],
    ['a', 1, 5, true],
    ['a', 1, 4, false],
    ['a', 2, 4, true],
    ['a', 1, 9, false],
    ['a', 2, 3, false],
    ['b', 1, 1, true],
  ];
  for (const [task, attempt, epoch, admitted] of seen)
    expect([task, attempt, epoch, fence.admits(task, attempt, epoch)]).toEqual([task, attempt, epoch, admitted]);
});
