import type { AttemptRecord, ResultMessage } from '@millwright/crds';
import { createMetrics, type Metrics } from '@millwright/otel';
import { beforeEach, describe, expect, test } from 'vitest';
import { type TaskMetrics, taskMetrics } from './task-metrics.ts';
import { aTask, at, runningOn } from './testing/objects.ts';

let metrics: Metrics;
let measure: TaskMetrics;
beforeEach(() => {
  metrics = createMetrics('operator');
  measure = taskMetrics(metrics);
});

/** The values of a metric by its labels. */
async function valuesOf(name: string): Promise<Record<string, number>> {
  const { values } = (await metrics.registry.getSingleMetric(name)?.get()) ?? { values: [] };
  return Object.fromEntries(values.map(({ labels, value }) => [Object.values(labels).join(), value]));
}

const result = (change: Partial<ResultMessage>): ResultMessage => ({
  type: 'result',
  kind: 'run',
  task: { uid: 'u', namespace: 'team', name: 'n' },
  attempt: 1,
  token: 't',
  outcome: 'succeeded',
  startedAt: at(0),
  finishedAt: at(1),
  ...change,
});

describe('what an agent reports', () => {
  test('is how long each step took and how it ended', async () => {
    const steps: ResultMessage['steps'] = [
      { name: 'checkout', status: 'succeeded', seconds: 2 },
      { name: 'work', status: 'failed', seconds: 30 },
    ];
    measure.settled(result({ outcome: 'failed', steps }));
    measure.settled(result({ steps: steps.slice(0, 1) }));
    expect(await valuesOf('autodev_steps_total')).toEqual({ succeeded: 2, failed: 1 });
    const text = await metrics.text();
    expect(text).toContain('autodev_step_duration_seconds_sum{process="operator",tool="checkout"} 4');
    expect(text).toContain('autodev_step_duration_seconds_sum{process="operator",tool="work"} 30');
  });

  test('is what came of a verification', async () => {
    measure.settled(result({}));
    measure.settled(result({ kind: 'verify' }));
    measure.settled(result({ kind: 'verify', outcome: 'failed', class: 'verification' }));
    measure.settled(result({ kind: 'verify', outcome: 'failed', class: 'infrastructure' }));
    measure.settled(result({ kind: 'verify', outcome: 'cancelled' }));
    expect(await valuesOf('autodev_verifications_total')).toEqual({ passed: 1, failed: 1, interrupted: 2 });
  });
});

test('an attempt that a rule forbids is a denial, once', async () => {
  const entry: AttemptRecord = {
    attempt: 1,
    outcome: 'Failed',
    class: 'governance',
    reason: 'PathViolation',
    startedAt: at(0),
    finishedAt: at(9),
  };
  const after = aTask(
    {},
    { ...runningOn('a'), phase: 'Failed', reason: 'PathViolation', finishedAt: at(9), history: [entry] },
  );
  measure.written(aTask({}, runningOn('a')), after);
  measure.written(after, after);
  const other = aTask({}, { ...runningOn('a'), history: [{ ...entry, class: 'agent', reason: 'CommandFailed' }] });
  measure.written(aTask({}, runningOn('a')), other);
  expect(await valuesOf('autodev_policy_denials_total')).toEqual({ PathViolation: 1 });
});
