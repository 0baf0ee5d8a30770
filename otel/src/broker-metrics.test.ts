import { expect, it } from 'vitest';
import { brokerMetrics } from './broker-metrics.ts';
import { createMetrics } from './metrics.ts';

it('counts what is confirmed, what failed and what was buried, by the first word of the reason', async () => {
  const metrics = createMetrics('publisher');
  const { onConfirm, onFailure, onDeadLetter } = brokerMetrics(metrics);
  onConfirm('millwright.results', 20);
  onFailure('millwright.results', new TypeError('no'));
  onDeadLetter('millwright.effects', 'invalid: field "x": what a stranger wrote');
  onDeadLetter('millwright.effects', 'invalid: something else');
  const text = await metrics.text();
  const samples = text.split('\n').filter((line) => line.startsWith('millwright_'));
  expect(samples).toContain('millwright_publish_confirm_seconds_sum{process="publisher"} 0.02');
  expect(samples).toContain('millwright_publish_failures_total{reason="TypeError",process="publisher"} 1');
  expect(samples).toContain('millwright_dead_letters_total{reason="invalid",process="publisher"} 2');
});
