import { expect, it } from 'vitest';
import { redacted } from './redacted.ts';

it.each([
  ['https://bot:s3cret@forge/x.git', 'https://***@forge/x.git'],
  ["access 'https://token@forge/' and ssh://git@host/x", "access 'https://***@forge/' and ssh://***@host/x"],
  ['mail to ada@example.com about https://forge/@ada', 'mail to ada@example.com about https://forge/@ada'],
  [`remote: pushed with ghp_${'q7Zx2Kp9Vm4T'.repeat(3)}`, 'remote: pushed with ***'],
])('takes credentials out of %s', async (text, expected) => {
  expect(await redacted(text)).toBe(expected);
});
