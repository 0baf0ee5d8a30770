import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, percentile, slope } from './stats.ts';

describe('percentile', () => {
  it.each([
    { p: 50, of: [3, 1, 2], is: 2 },
    { p: 50, of: [4, 1, 2, 3], is: 2 },
    { p: 99, of: Array.from({ length: 100 }, (_, i) => i + 1), is: 99 },
    { p: 100, of: [1, 2], is: 2 },
    { p: 0, of: [1, 2], is: 1 },
    { p: 99, of: [7], is: 7 },
  ])('p$p of $of is $is', ({ p, of, is }) => {
    expect(percentile(of, p)).toBe(is);
  });
  it('refuses no values', () => {
    expect(() => percentile([], 50)).toThrow(RangeError);
  });
  it('leaves its argument as it was', () => {
    const values = [3, 1, 2];
    percentile(values, 50);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('median', () => {
  it.each([
    { of: [5], is: 5 },
    { of: [9, 1, 5], is: 5 },
    { of: [4, 1, 3, 2], is: 2.5 },
  ])('of $of is $is', ({ of, is }) => {
    expect(median(of)).toBe(is);
  });
  it('refuses no values', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('slope', () => {
  it('is that of a line through points on it, whatever the order', () => {
    const number = fc.integer({ min: -1000, max: 1000 });
    const xs = fc.uniqueArray(number, { minLength: 2 });
    fc.assert(
      fc.property(xs, number, number, (x, m, b) => {
        expect(slope(x.map((at) => ({ x: at, y: m * at + b })))).toBeCloseTo(m, 6);
      }),
    );
  });
  it('has the least squared error', () => {
    const points = [
      { x: 0, y: 1 },
      { x: 1, y: 0 },
      { x: 2, y: 5 },
      { x: 4, y: 3 },
    ];
    const meanX = 7 / 4;
    const meanY = 9 / 4;
    const error = (m: number) => points.reduce((sum, { x, y }) => sum + (y - meanY - m * (x - meanX)) ** 2, 0);
    const best = slope(points);
    for (const other of [-0.01, 0.01]) expect(error(best)).toBeLessThan(error(best + other));
  });
  it.each([
    { name: 'one point', points: [{ x: 1, y: 1 }] },
    {
      name: 'a vertical line',
      points: [
        { x: 1, y: 1 },
        { x: 1, y: 2 },
      ],
    },
  ])('refuses $name', ({ points }) => {
    expect(() => slope(points)).toThrow(RangeError);
  });
});
