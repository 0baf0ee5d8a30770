import { describe, expect, it } from 'vitest';
import { measure, table } from './report.ts';

const most = (bound: number, of?: string) => ({ at: 'most' as const, bound, ...(of ? { of } : {}) });
const least = (bound: number, of?: string) => ({ at: 'least' as const, bound, ...(of ? { of } : {}) });

describe('measure', () => {
  it('judges the value itself when there is no baseline', () => {
    expect(measure('memory', 'MB', [300, 340, 380], most(350))).toEqual({
      name: 'memory',
      value: 340,
      unit: 'MB',
      target: '≤ 350 MB',
      pass: true,
      runs: [300, 340, 380],
    });
  });

  it('takes the median of the ratios of pairs, not the ratio of the medians', () => {
    // The machine got three times slower after the first pair: each pair says 2, the medians 10/10.
    const m = measure('latency', 'ms', [10, 60, 90], most(1.5, 'floor'), [5, 30, 45]);
    expect(m).toMatchObject({ value: 60, baseline: 30, ratio: 2, pass: false, target: '≤ 1.5 × floor' });
    expect(measure('latency', 'ms', [10, 10, 30], most(1.5, 'floor'), [10, 30, 10]).ratio).toBe(1);
  });

  it.each([
    { name: 'at most, met exactly', target: most(2), runs: [2], pass: true },
    { name: 'at most, exceeded', target: most(2), runs: [2.1], pass: false },
    { name: 'at least, met exactly', target: least(2), runs: [2], pass: true },
    { name: 'at least, missed', target: least(2), runs: [1.9], pass: false },
    { name: 'no target', target: undefined, runs: [1e9], pass: true },
  ])('passes or not: $name', ({ target, runs, pass }) => {
    expect(measure('m', 'ms', runs, target).pass).toBe(pass);
  });

  it('says that a figure without a target is only reported', () => {
    expect(measure('cold', 'ms', [4000], undefined).target).toBe('reported');
  });

  it('judges before it rounds', () => {
    expect(measure('m', 'ms', [2.00001], most(2))).toMatchObject({ value: 2, pass: false });
  });

  it('refuses runs that are not in pairs', () => {
    expect(() => measure('m', 'ms', [1, 2], most(1, 'floor'), [1])).toThrow(RangeError);
  });
});

describe('table', () => {
  const met = measure('latency', 'ms', [10, 12], most(1.5, 'floor'), [10, 10]);
  const missed = {
    ...measure('writes', 'per task', [4.5], most(4)),
    breakdown: { 'POST agenttasks': 1, 'PATCH agenttasks/status': 3.5 },
  };

  it('says of a peer that was stopped that the ratio is at least so high', () => {
    const stopped = { ...measure('diff', 'diffs/s', [30], least(10, 'npm diff'), [2]), peerStopped: true as const };
    expect(table([stopped])).toContain('  ≥ 15.00  ≥ 10 × npm diff');
  });

  it('shows every measure, with its baseline where there is one', () => {
    expect(table([met])).toBe(
      [
        '   measure  value  baseline  ratio  target         spread',
        '✓  latency  11 ms  10 ms     1.10   ≤ 1.5 × floor  10 to 12',
      ].join('\n'),
    );
  });

  it('says which targets were missed, and what the value is made of', () => {
    const text = table([met, missed]);
    expect(text).toContain('Missed: 1 of 2');
    expect(text).toContain(
      '✗ writes is 4.5 per task, not ≤ 4 per task: 3.5 PATCH agenttasks/status, 1 POST agenttasks',
    );
    expect(text).not.toContain('✗ latency');
  });
});
