import { describe, expect, it } from 'vitest';
import { describeEnd, lastLines } from './shell.ts';

describe('lastLines', () => {
  it.each([
    ['short text as it is', 'one\ntwo\n', 20, 'one\ntwo'],
    ['whole lines where there are any', 'first line\nsecond\nthird\n', 11, 'third'],
    ['a part of a line that is too long', 'x'.repeat(50), 10, 'x'.repeat(10)],
    ['nothing of nothing', '\n\n', 10, ''],
  ])('keeps %s', (_name, text, max, expected) => {
    expect(lastLines(text, max)).toBe(expected);
  });
});

describe('describeEnd', () => {
  const finished = { exitCode: 9, tail: '', stdout: '', problem: undefined };
  it('says the exit code, or what was in the way', () => {
    expect(describeEnd('it', finished)).toBe('it ended with exit code 9');
    expect(describeEnd('it', { ...finished, problem: 'was ended' })).toBe('it was ended');
    expect(describeEnd('x'.repeat(5_000), finished)).toHaveLength(1024);
  });
});
