import { readFileSync } from 'node:fs';
import path from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { catalogue, type MetricDefinition } from './catalogue.ts';
import { dashboard } from './dashboard.ts';
import { rows } from './dashboard-panels.ts';
import { dashboardFiles, ruleFiles } from './generate.ts';
import { selections } from './testing/promql.ts';

const root = path.resolve(import.meta.dirname, '../..');

interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}
const alertFile = parse(readFileSync(path.join(root, ruleFiles.source), 'utf8')) as {
  groups: { name: string; rules: Rule[] }[];
};
const rules = alertFile.groups.flatMap((group) => group.rules);

/** Every series that exists, with its labels: of the catalogue, of prom-client, and of the recording rules. */
function knownSeries(): Map<string, Set<string>> {
  const known = new Map<string, Set<string>>();
  const add = (name: string, labels: readonly string[]) => known.set(name, new Set([...labels, 'process', 'instance']));
  for (const [name, { type, labels }] of Object.entries<MetricDefinition>(catalogue)) {
    if (type !== 'histogram') add(name, labels);
    else for (const suffix of ['bucket', 'sum', 'count']) add(`${name}_${suffix}`, [...labels, 'le']);
  }
  const defaults = new Registry();
  collectDefaultMetrics({ register: defaults });
  for (const { name } of defaults.getMetricsAsArray()) add(name, []);
  for (const { record } of rules) if (record !== undefined) add(record, []);
  return known;
}
const known = knownSeries();

function problemsOf(expr: string): string[] {
  const selected = selections(expr);
  if (selected.length === 0) return ['it selects nothing'];
  return selected.flatMap(({ metric, labels }) => {
    const has = known.get(metric);
    if (has === undefined) return [`there is no metric ${metric}`];
    return labels.filter((label) => !has.has(label)).map((label) => `${metric} has no label ${label}`);
  });
}

describe('the dashboard', () => {
  const queries = rows.flatMap(({ panels }) =>
    panels.flatMap((panel) => panel.queries.map(([expr, legend]) => ({ title: panel.title, expr, legend }))),
  );
  it('has panels', () => {
    expect(queries.length).toBeGreaterThan(35);
  });

  it.each(queries)('$title: $expr', ({ expr, legend }) => {
    expect(problemsOf(expr)).toEqual([]);
    const grouped = selections(expr).flatMap(({ labels }) => labels);
    const named = [...(legend ?? '').matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]);
    expect(named.filter((label) => !grouped.includes(label ?? ''))).toEqual([]);
  });

  it.each(dashboardFiles)('%s is what `node otel/src/generate.ts` writes', (file) => {
    expect(JSON.parse(readFileSync(path.join(root, file), 'utf8'))).toEqual(dashboard());
  });

  it('panels do not overlap and fit the grid', () => {
    const { panels } = dashboard() as {
      panels: { id: number; title: string; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [index, a] of panels.entries()) {
      expect(a.gridPos.x + a.gridPos.w).toBeLessThanOrEqual(24);
      for (const b of panels.slice(index + 1)) {
        const apart =
          a.gridPos.x + a.gridPos.w <= b.gridPos.x ||
          b.gridPos.x + b.gridPos.w <= a.gridPos.x ||
          a.gridPos.y + a.gridPos.h <= b.gridPos.y ||
          b.gridPos.y + b.gridPos.h <= a.gridPos.y;
        expect(apart, `${a.title} and ${b.title}`).toBe(true);
      }
    }
  });
});

describe('the rules', () => {
  it.each(rules.map((rule) => ({ name: rule.alert ?? rule.record, ...rule })))('$name', (rule) => {
    expect(problemsOf(rule.expr)).toEqual([]);
    if (rule.alert === undefined) return;
    expect(['info', 'warning', 'critical']).toContain(rule.labels?.severity);
    expect(rule.annotations?.summary).toBeTruthy();
    expect(rule.annotations?.description).toBeTruthy();
  });

  it('are the same in the chart', () => {
    const [source, copy] = [ruleFiles.source, ruleFiles.copy].map((file) =>
      readFileSync(path.join(root, file), 'utf8'),
    );
    expect(copy).toBe(source);
  });

  it('record the figures that reports are made of', () => {
    expect(rules.map(({ record }) => record).filter((name) => name !== undefined)).toEqual([
      'task_pass_rate',
      'avg_iterations',
      'avg_time_per_task',
    ]);
  });
});

describe('the check itself', () => {
  const bad = [
    { name: 'an unknown metric', expr: 'sum(rate(millwright_nonsense_total[5m]))', problem: 'there is no metric' },
    { name: 'an unknown label', expr: 'sum by (colour) (millwright_tasks)', problem: 'has no label colour' },
    { name: 'an unknown matcher', expr: 'millwright_tasks{colour="red"}', problem: 'has no label colour' },
    {
      name: 'a histogram without suffix',
      expr: 'rate(millwright_claim_latency_seconds[5m])',
      problem: 'there is no metric',
    },
  ];
  it.each(bad)('finds $name', ({ expr, problem }) => {
    expect(problemsOf(expr).join()).toContain(problem);
  });
  it('finds what is no PromQL', () => {
    expect(() => problemsOf('sum(rate(millwright_tasks[5m])')).toThrow(SyntaxError);
  });
});
