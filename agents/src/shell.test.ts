import { describe, expect, it } from 'vitest';
import { describeEnd } from './shell.ts';

describe('describeEnd', () => {
  const finished = { exitCode: 9, tail: '', stdout: '', problem: undefined };
  it('says the exit code, or what was in the way, and the last words', () => {
    expect(describeEnd('it', finished)).toBe('it ended with exit code 9');
    expect(describeEnd('it', { ...finished, problem: 'was ended' })).toBe('it was ended');
    expect(describeEnd('it', { ...finished, tail: 'why', problem: 'cannot be started: why' })).toBe(
      'it cannot be started: why',
    );
    expect(describeEnd('it', { ...finished, tail: 'ok\nFAIL x\n' })).toBe('it ended with exit code 9: ok | FAIL x');
  });

  it('keeps within the limit of a message, with room for the last words', () => {
    const message = describeEnd('x'.repeat(5_000), { ...finished, tail: `${'y'.repeat(5_000)} the cause` });
    expect(message.length).toBeLessThanOrEqual(1024);
    expect(message).toMatch(/^x+… ended with exit code 9: y+ the cause$/);
  });
});
