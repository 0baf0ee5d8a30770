import { expect, test } from 'vitest';
import { inTurn } from './turns.ts';

test('both sides have their turn, and who begins changes', async () => {
  const order: string[] = [];
  const side = (name: string, milliseconds: number) => () => {
    order.push(name);
    return milliseconds;
  };
  expect(await inTurn(3, side('ours', 1), side('theirs', 2))).toEqual({ ours: [1, 1, 1], theirs: [2, 2, 2] });
  expect(order).toEqual(['ours', 'theirs', 'theirs', 'ours', 'ours', 'theirs']);
});
