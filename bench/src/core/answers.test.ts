import { expect, test } from 'vitest';
import { readGitleaksScan, readNativeDiff, readPlanted } from './answers.ts';

test('reads the time of one of several diffs', () => {
  expect(readNativeDiff('{"nanoseconds":3000000,"bytes":42}', 2)).toEqual({ milliseconds: 1.5, bytes: 42 });
});

test('refuses a time that is none', () => {
  expect(() => readNativeDiff('{"nanoseconds":0,"bytes":42}', 1)).toThrow('it took 0 ns');
  expect(() => readGitleaksScan('{"bytes":1,"findings":[]}')).toThrow('it took undefined ns');
});

test('finds planted secrets by their place in bytes', () => {
  const answer = String.raw`[["core","a-rule","a.txt","für \"s3cret\"\u000a",6,12]]`;
  expect(readPlanted(answer)).toEqual([
    { set: 'core', name: 'a-rule', path: 'a.txt', text: 'für "s3cret"\n', secret: 's3cret' },
  ]);
});

test('reads what gitleaks has found', () => {
  const answer = '{"nanoseconds":2000000,"bytes":7,"findings":[{"file":1,"rule":"jwt","secret":"ey"}]}';
  expect(readGitleaksScan(answer)).toEqual({
    milliseconds: 2,
    bytes: 7,
    findings: [{ file: 1, rule: 'jwt', secret: 'ey' }],
  });
});
