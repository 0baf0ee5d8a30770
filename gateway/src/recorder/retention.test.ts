import { setImmediate as turn } from 'node:timers/promises';
import { silentLogger } from '@millwright/otel';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startRetention } from './retention.ts';

const NOW = Date.UTC(2026, 10, 21);
const DAY = 86_400_000;
beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** A store of so many old events, and what it was asked to delete. */
function storeWith(old: number, fail: () => boolean = () => false) {
  const asked: { before: Date; most: number }[] = [];
  const pruneEvents = async (before: Date, most: number) => {
    asked.push({ before, most });
    await turn();
    if (fail()) throw new Error('away');
    const deleted = Math.min(old, most);
    old -= deleted;
    return deleted;
  };
  return { asked, pruneEvents, left: () => old };
}

it('deletes in batches until nothing is left that is older than the retention', async () => {
  const store = storeWith(25);
  const retention = startRetention({ store, retentionMs: 90 * DAY, log: silentLogger, batch: 10 });
  await vi.waitFor(() => expect(store.left()).toBe(0));
  expect(store.asked).toEqual(Array(3).fill({ before: new Date(NOW - 90 * DAY), most: 10 }));
  await retention.close();
});

it('looks again after a while, also when the database was away', async () => {
  let isAway = true;
  const store = storeWith(1, () => isAway);
  const everyMs = 1;
  const retention = startRetention({ store, retentionMs: DAY, log: silentLogger, everyMs });
  await vi.waitFor(() => expect(store.asked).toHaveLength(1));
  expect(store.left()).toBe(1);
  isAway = false;
  await vi.waitFor(() => expect(store.left()).toBe(0));
  await retention.close();
});

it('ends between two batches', async () => {
  const store = storeWith(Number.POSITIVE_INFINITY);
  const retention = startRetention({ store, retentionMs: DAY, log: silentLogger, batch: 1 });
  await vi.waitFor(() => expect(store.asked.length).toBeGreaterThan(1));
  await retention.close();
  const { length } = store.asked;
  await turn();
  expect(store.asked).toHaveLength(length);
});
