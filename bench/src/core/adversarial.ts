import { Random } from './random.ts';
import { bytesOf, type Pair } from './texts.ts';

const numbered = (count: number, text: string): string[] => Array.from({ length: count }, (_, i) => `${text} ${i}`);

/** Pairs of texts that take the usual algorithms the square of their length. */
export function adversarialPairs(count: number): Pair[] {
  const random = new Random(count);
  const lines = numbered(count, 'the same line');
  const few = () => Array.from({ length: count }, () => `line ${random.below(8)}`);
  const others = (text: string) => numbered(Math.floor(count / 2), text).flatMap((line, i) => [lines[i] ?? '', line]);
  const pair = (name: string, before: readonly string[], after: readonly string[]): Pair => ({
    name,
    before: bytesOf(before),
    after: bytesOf(after),
  });
  return [
    // The shortest edit script is as long as both texts: the worst case of Myers.
    pair('no line in common', numbered(count, 'before'), numbered(count, 'after')),
    // Each line occurs once on either side, and hardly two are in order.
    pair('lines shuffled', lines, random.shuffled(lines)),
    // No line is rare enough for a histogram or for patience to begin with.
    pair('eight different lines', few(), few()),
    // A histogram splits off one line at a time.
    pair('every other line in common', others('before'), others('after')),
  ];
}
