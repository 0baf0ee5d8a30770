import { expect, test } from 'vitest';
import { harmless } from './output.ts';

test.each([
  ['text', 'a\tb\r\n', 'a\tb\r\n'],
  ['colours', '\u001b[1;31mred\u001b[0m', '\u001b[1;31mred\u001b[0m'],
  ['no title', '\u001b]0;title\u0007x', ']0;titlex'],
  ['no clipboard', '\u001b]52;c;YQ==\u001b\\', ']52;c;YQ==\\'],
  ['no cursor', '\u001b[2Jx\u009b2Jy', '[2Jx2Jy'],
  ['no other direction', 'a\u202eb', 'ab'],
  ['not half a sequence', '\u001b[3', '[3'],
])('of what a sandbox prints a terminal gets: %s', (_, text, expected) => {
  expect(harmless(text)).toBe(expected);
});
