import { loadCore } from '@millwright/native-wasm';
import { expect, test } from 'vitest';
import { adversarialPairs } from './adversarial.ts';
import { editedPair, type Pair, spreadPair } from './texts.ts';

const linesOf = (text: Uint8Array) => Buffer.from(text).toString('utf8').split('\n').slice(0, -1);

test('the files of a run are those of every run', () => {
  expect(editedPair(500)).toEqual(editedPair(500));
  expect(adversarialPairs(100)).toEqual(adversarialPairs(100));
});

test('a file is edited here and there', async () => {
  const pair = editedPair(20_000);
  expect(linesOf(pair.before)).toHaveLength(20_000);
  const [diff] = (await loadCore()).diffTexts([pair]);
  expect(diff?.changes.length).toBeGreaterThan(100);
  expect((diff?.added ?? 0) + (diff?.removed ?? 0)).toBeLessThan(1000);
});

test('hunks are spread over a file in proportion', async () => {
  const [small, large] = [spreadPair(50), spreadPair(500)];
  for (const pair of [small, large]) {
    const [diff] = (await loadCore()).diffTexts([pair]);
    expect(`${diff?.changes.length} hunks`).toBe(pair.name);
    expect(
      Buffer.from(diff?.hunks ?? [])
        .toString('utf8')
        .match(/^@@ /gm),
    ).toHaveLength(diff?.changes.length ?? 0);
  }
  expect(large.before.length).toBeGreaterThanOrEqual(2 ** 20);
  expect(large.before.length).toBeLessThan(2 ** 20 * 1.1);
});

const [disjoint, shuffled, few, alternating] = adversarialPairs(200) as [Pair, Pair, Pair, Pair];

test.each([disjoint, shuffled, few, alternating])('$name: as many lines on both sides', ({ before, after }) => {
  expect(linesOf(before)).toHaveLength(200);
  expect(linesOf(after)).toHaveLength(200);
});

test('adversarial pairs are what they are called', () => {
  const old = new Set(linesOf(disjoint.before));
  expect(linesOf(disjoint.after).some((line) => old.has(line))).toBe(false);
  expect(linesOf(shuffled.after)).not.toEqual(linesOf(shuffled.before));
  expect(linesOf(shuffled.after).toSorted()).toEqual(linesOf(shuffled.before).toSorted());
  expect(new Set([...linesOf(few.before), ...linesOf(few.after)]).size).toBe(8);
  expect(linesOf(alternating.after).map((line, at) => line === linesOf(alternating.before)[at])).toEqual(
    Array.from({ length: 200 }, (_, at) => at % 2 === 0),
  );
});
