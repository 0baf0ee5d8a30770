import { describe, expect, it } from 'vitest';
import { catalogue, type MetricDefinition } from './catalogue.ts';
import { createMetrics } from './metrics.ts';

const definitions: [string, MetricDefinition][] = Object.entries(catalogue);

describe('the catalogue', () => {
  it.each(definitions)('%s keeps to the rules of Prometheus', (name, definition) => {
    expect(name).toMatch(/^(autodev|millwright|gen_ai)_[a-z0-9_]+$/);
    expect(name.endsWith('_total')).toBe(definition.type === 'counter');
    expect(definition.help).toMatch(/^[A-Z0-9].*\.$/);
    expect(definition.processes.length).toBeGreaterThan(0);
    for (const label of definition.labels) expect(label).toMatch(/^[a-z][a-z0-9_]*$/);
    const buckets = definition.buckets ?? [];
    expect(buckets.length > 0).toBe(definition.type === 'histogram');
    expect([...buckets].sort((a, b) => a - b)).toEqual(buckets);
  });
});

describe('metrics', () => {
  it('count, are labelled with the process, and are one instrument however often they are asked for', async () => {
    const metrics = createMetrics('operator');
    metrics.counter('autodev_tasks_failed_total').inc({ reason: 'TestsFailed' });
    metrics.counter('autodev_tasks_failed_total').inc({ reason: 'TestsFailed' }, 2);
    metrics.histogram('autodev_task_duration_seconds').observe({ outcome: 'Failed' }, 3);
    metrics.gauge('millwright_leader').set(1);
    const text = await metrics.text();
    expect(text).toContain('autodev_tasks_failed_total{reason="TestsFailed",process="operator"} 3');
    expect(text).toContain('autodev_task_duration_seconds_bucket{le="5",process="operator",outcome="Failed"} 1');
    expect(text).toContain('millwright_leader{process="operator"} 1');
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('that are looked up are looked up at each scrape', async () => {
    const metrics = createMetrics('operator');
    let depth = 3;
    metrics.gauge('millwright_tasks', (gauge) => gauge.set({ phase: 'Waiting' }, depth));
    expect(await metrics.text()).toContain('millwright_tasks{phase="Waiting",process="operator"} 3');
    depth = 4;
    expect(await metrics.text()).toContain('millwright_tasks{phase="Waiting",process="operator"} 4');
  });

  it('tell how long the event loop was held up since the last scrape', async () => {
    const metrics = createMetrics('gateway');
    const lag = async () =>
      Number(/millwright_event_loop_lag_seconds\{[^}]*\} (\S+)/.exec(await metrics.text())?.[1] ?? Number.NaN);
    // The first of its ticks only starts the measurement, and a slow start delays it.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve, 40));
    const until = performance.now() + 150;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(await lag()).toBeGreaterThan(0.1);
  });

  it('of another process are refused', () => {
    expect(() => createMetrics('gateway').gauge('millwright_leader')).toThrow('no metric of the gateway');
  });
});
