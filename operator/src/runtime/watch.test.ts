import fc from 'fast-check';
import { expect, it } from 'vitest';
import { splitLines } from './watch.ts';

it('lines come out whole however the stream is cut into chunks', () => {
  const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '𝄞', '"', ' '), minLength: 1, maxLength: 20 }));
  fc.assert(
    fc.property(
      lines,
      fc.array(fc.nat(200)),
      fc.string({ unit: fc.constantFrom('x', 'y') }),
      (expected, cuts, rest) => {
        const bytes = Buffer.from(`${expected.map((line) => `${line}\n`).join('')}\n${rest}`);
        const got: string[] = [];
        const feed = splitLines((line) => got.push(line));
        let start = 0;
        for (const end of [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
          feed(bytes.subarray(start, end));
          start = end;
        }
        expect(got).toEqual(expected);
      },
    ),
  );
});
