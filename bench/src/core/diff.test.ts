import { expect, test } from 'vitest';
import { changedLines } from './diff.ts';

test('changed lines are counted without the header', () => {
  expect(changedLines('--- a\n+++ b\n@@ -1,2 +1,2 @@\n-old\n+new\n--- sql\n same\n')).toBe(3);
  expect(changedLines('--- a\n+++ b\n')).toBe(0);
});
