import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastLines, lastWords, readable } from './tail.ts';

describe('readable', () => {
  it.each([
    ['colours and other escapes', '\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}end', 'red end'],
    ['what was written over', 'start\n10%\r20%\r100%\r\ndone\r\n', 'start\n100%\ndone\n'],
    ['control characters, but no tabs', 'a\u{8}\u{7}\tb\u{85}\u{7f}c', 'a\tbc'],
    ['what turns the direction of writing', 'a\u{202e}b\u{2066}c', 'abc'],
    ['half a character', 'x\u{d83d}', 'x\u{fffd}'],
  ])('leaves out %s', (_name, text, expected) => {
    expect(readable(text)).toBe(expected);
  });

  it('keeps text of any script', () => {
    expect(readable('naïve 日本 👩‍💻')).toBe('naïve 日本 👩‍💻');
  });
});

describe('lastLines', () => {
  it.each([
    ['short text as it is', 'one\ntwo\n', 20, 'one\ntwo'],
    ['whole lines where there are any', 'first line\nsecond\nthird\n', 11, 'third'],
    ['a part of a line that is too long', 'x'.repeat(50), 10, 'x'.repeat(10)],
    ['whole characters', 'aééé', 5, 'éé'],
    ['nothing of nothing', '\n\n', 10, ''],
  ])('keeps %s', (_name, text, max, expected) => {
    expect(lastLines(text, max)).toBe(expected);
  });

  it('keeps twenty lines, unless told', () => {
    const text = Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n');
    expect(lastLines(text, 2048).split('\n')).toEqual(Array.from({ length: 20 }, (_, n) => `line ${n + 10}`));
    expect(lastLines(text, 2048, 2)).toBe('line 28\nline 29');
  });

  it('never exceeds its bytes, and is an end of the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, max) => {
        const kept = lastLines(text, max);
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(max);
        expect(text.trimEnd().endsWith(kept)).toBe(true);
      }),
    );
  });
});

it('lastWords makes one line of the last few', () => {
  expect(lastWords('one\ntwo\n  three\n\nFAIL\nfour\n')).toBe('two | three | FAIL | four');
  expect(lastWords('\n')).toBe('');
});
