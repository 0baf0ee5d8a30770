import { type AgentTask, isFinished } from '@millwright/crds';
import type { Metrics } from '@millwright/otel';
import type { HandledMessage } from './agent-task/memory.ts';

/** Counts tasks and attempts as their status is written, and what agents report as it is settled. */
export interface TaskMetrics {
  written(before: AgentTask, after: AgentTask): void;
  settled(message: HandledMessage['message']): void;
}

const seconds = (from: string | undefined, to: string | undefined): number =>
  Math.max(0, (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000);

export function taskMetrics(metrics: Metrics): TaskMetrics {
  const total = metrics.counter('autodev_tasks_total');
  const succeeded = metrics.counter('autodev_tasks_success_total');
  const failed = metrics.counter('autodev_tasks_failed_total');
  const durations = metrics.histogram('autodev_task_duration_seconds');
  const attempts = metrics.counter('autodev_task_attempts_total');
  const claims = metrics.histogram('millwright_claim_latency_seconds');
  const denials = metrics.counter('autodev_policy_denials_total');
  const verifications = metrics.counter('autodev_verifications_total');
  const steps = metrics.counter('autodev_steps_total');
  const stepDurations = metrics.histogram('autodev_step_duration_seconds');
  return {
    written(before, after) {
      const { status, metadata } = after;
      if (status?.agent && status.agent.at !== before.status?.agent?.at)
        claims.observe(seconds(before.status?.nextAttemptAt ?? metadata.creationTimestamp, status.agent.at));
      const known = before.status?.history?.at(-1)?.attempt;
      const last = status?.history?.at(-1);
      if (last && last.attempt !== known) {
        attempts.inc({ class: last.class ?? 'none' });
        if (last.class === 'governance') denials.inc({ reason: last.reason });
      }
      if (!isFinished(status?.phase) || isFinished(before.status?.phase)) return;
      total.inc();
      if (status?.phase === 'Succeeded') succeeded.inc();
      if (status?.phase === 'Failed') failed.inc({ reason: status.reason ?? '' });
      durations.observe({ outcome: status?.phase ?? '' }, seconds(metadata.creationTimestamp, status?.finishedAt));
    },
    settled(message) {
      if (message.type !== 'result') return;
      for (const { name, status, seconds } of message.steps ?? []) {
        steps.inc({ status });
        stepDurations.observe({ tool: name }, seconds);
      }
      if (message.kind !== 'verify') return;
      const failed = message.class === 'verification' ? 'failed' : 'interrupted';
      verifications.inc({ outcome: message.outcome === 'succeeded' ? 'passed' : failed });
    },
  };
}
