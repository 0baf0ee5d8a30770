import { median } from './stats.ts';

/** One figure, as it is written to the results file. */
export interface Measure {
  name: string;
  /** Ours: the median over the runs. */
  value: number;
  unit: string;
  /** The floor's or the peer's in the same run; absent where the target is absolute. */
  baseline?: number;
  /** value / baseline: the median of the pairs' ratios. */
  ratio?: number;
  /** The peer was stopped at its time limit: the ratio is so high at least. */
  peerStopped?: true;
  /** In words, for example `≤ 1.5 × floor`; `reported` when there is none. */
  target: string;
  pass: boolean;
  /** The single figures, in order. */
  runs: readonly number[];
  baselineRuns?: readonly number[];
  /** What the value is made of, in the same unit. */
  breakdown?: Readonly<Record<string, number>>;
}

/** A target for the ratio to a baseline, or for the value itself when there is none. */
export interface Target {
  at: 'most' | 'least';
  bound: number;
  /** What the baseline is called. */
  of?: string;
}

/** Sums up the runs of a measure. Ratios are taken pair by pair, since the machine's speed drifts, and their median counts. */
export function measure(
  name: string,
  unit: string,
  runs: readonly number[],
  target: Target | undefined,
  baselineRuns?: readonly number[],
): Measure {
  if (baselineRuns && baselineRuns.length !== runs.length) throw new RangeError(`${name}: runs are not in pairs`);
  const value = median(runs);
  const ratio = baselineRuns && median(runs.map((run, index) => run / (baselineRuns[index] ?? Number.NaN)));
  const judged = ratio ?? value;
  return {
    name,
    value: round(value),
    unit,
    ...(baselineRuns && ratio !== undefined ? { baseline: round(median(baselineRuns)), ratio: round(ratio) } : {}),
    target: target
      ? `${target.at === 'most' ? '≤' : '≥'} ${target.bound}${target.of ? ` × ${target.of}` : ` ${unit}`}`
      : 'reported',
    pass: !target || (target.at === 'most' ? judged <= target.bound : judged >= target.bound),
    runs: runs.map(round),
    ...(baselineRuns ? { baselineRuns: baselineRuns.map(round) } : {}),
  };
}

const round = (value: number): number => Number(value.toPrecision(4));

/** The table that people read, and below it what was missed. */
export function table(measures: readonly Measure[]): string {
  const rows = measures.map((m) => [
    m.pass ? '✓' : '✗',
    m.name,
    `${m.value} ${m.unit}`,
    m.baseline === undefined ? '' : `${m.baseline} ${m.unit}`,
    m.ratio === undefined ? '' : `${m.peerStopped ? '≥ ' : ''}${m.ratio.toFixed(2)}`,
    m.target,
    m.runs.length > 1 ? `${Math.min(...m.runs)} to ${Math.max(...m.runs)}` : '',
  ]);
  const head = ['', 'measure', 'value', 'baseline', 'ratio', 'target', 'spread'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const missed = measures.filter((m) => !m.pass);
  if (missed.length === 0) return lines.join('\n');
  return [...lines, '', `Missed: ${missed.length} of ${measures.length}`, ...missed.map(explain)].join('\n');
}

function explain(m: Measure): string {
  const parts = Object.entries(m.breakdown ?? {}).sort(([, a], [, b]) => b - a);
  const detail = parts.length > 0 ? `: ${parts.map(([what, n]) => `${n} ${what}`).join(', ')}` : '';
  return `  ✗ ${m.name} is ${m.ratio ?? m.value}${m.ratio === undefined ? ` ${m.unit}` : ''}, not ${m.target}${detail}`;
}
