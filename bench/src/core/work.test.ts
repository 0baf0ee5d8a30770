import { expect, test } from 'vitest';
import { sameWork } from './work.ts';

test('what is not the same work is no figure', () => {
  sameWork('x', 100, 100);
  sameWork('x', 109, 100, 0.1);
  expect(() => sameWork('x', 111, 100, 0.1)).toThrow("x: ours is 111 and the peer's 100");
});
