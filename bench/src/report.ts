/** One figure, as it is written to the results file. */
export interface Measure {
  name: string;
  /** Ours: the median over the runs. */
  value: number;
  unit: string;
  /** The floor's or the peer's in the same run; absent where the target is absolute. */
  baseline?: number;
  /** value / baseline. */
  ratio?: number;
  /** In words, for example `≤ 1.5 × floor`. */
  target: string;
  pass: boolean;
  /** The single figures, in order. */
  runs: readonly number[];
  baselineRuns?: readonly number[];
}

/** A target for the ratio to a baseline, or for the value itself when there is none. */
export interface Target {
  at: 'most' | 'least';
  bound: number;
  /** What the baseline is called. */
  of?: string;
}

import { median } from './stats.ts';

/** Sums up the runs of a measure. Ratios are taken pair by pair, since the machine's speed drifts, and their median counts. */
export function measure(
  name: string,
  unit: string,
  runs: readonly number[],
  target: Target,
  baselineRuns?: readonly number[],
): Measure {
  const value = median(runs);
  const ratios = baselineRuns?.map((baseline, index) => (runs[index] ?? value) / baseline);
  const ratio = ratios ? median(ratios) : undefined;
  const judged = ratio ?? value;
  const sign = target.at === 'most' ? '≤' : '≥';
  return {
    name,
    value: round(value),
    unit,
    ...(baselineRuns && ratio !== undefined ? { baseline: round(median(baselineRuns)), ratio: round(ratio) } : {}),
    target: `${sign} ${target.bound}${target.of ? ` × ${target.of}` : ` ${unit}`}`,
    pass: target.at === 'most' ? judged <= target.bound : judged >= target.bound,
    runs: runs.map(round),
    ...(baselineRuns ? { baselineRuns: baselineRuns.map(round) } : {}),
  };
}

const round = (value: number): number => Number(value.toPrecision(4));

/** The table that people read. */
export function table(measures: readonly Measure[]): string {
  const rows = measures.map((m) => [
    m.pass ? '✓' : '✗',
    m.name,
    `${m.value} ${m.unit}`,
    m.baseline === undefined ? '' : `${m.baseline} ${m.unit}`,
    m.ratio === undefined ? '' : m.ratio.toFixed(2),
    m.target,
    `${Math.min(...m.runs)} to ${Math.max(...m.runs)}`,
  ]);
  const head = ['', 'measure', 'value', 'baseline', 'ratio', 'target', 'spread'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
