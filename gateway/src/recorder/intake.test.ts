import { expect, it } from 'vitest';
import { createIntake } from './intake.ts';

const never = new AbortController().signal;

it('gives a full batch at once, however long the wait is', async () => {
  const intake = createIntake<number>(3, 1_000_000);
  for (const item of [1, 2, 3, 4]) intake.add(item);
  expect(await intake.next(never)).toEqual([1, 2, 3]);
  expect(intake.drain()).toEqual([4]);
});

it('waits for the batch to fill while it is being taken', async () => {
  const intake = createIntake<number>(2, 1_000_000);
  const batch = intake.next(never);
  intake.add(1);
  await Promise.resolve();
  intake.add(2);
  expect(await batch).toEqual([1, 2]);
});

it('gives what there is when the wait is over', async () => {
  const intake = createIntake<number>(3, 5);
  intake.add(1);
  expect(await intake.next(never)).toEqual([1]);
});

it('gives nothing, and keeps what there is, once stopped', async () => {
  const stop = new AbortController();
  const intake = createIntake<number>(3, 1_000_000);
  const batch = intake.next(stop.signal);
  intake.add(1);
  stop.abort();
  expect(await batch).toEqual([]);
  expect(await intake.next(stop.signal)).toEqual([]);
  expect(intake.drain()).toEqual([1]);
});
