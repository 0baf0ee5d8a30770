import { reasons } from '@millwright/crds';
import type { TaskPlan } from './actions.ts';
import { endAttempt } from './end-attempt.ts';
import type { TaskObservation } from './observation.ts';
import { attemptOf, type Failure } from './status.ts';

/** Silence after which an agent without a pod (or behind a dead broker connection) counts as lost. */
export const HEARTBEAT_TIMEOUT_MS = 60_000;
/** What a result may need from the end of a pod through a backlog of messages to here. */
export const RESULT_GRACE_MS = 10_000;
/** Beyond its time limit, what an agent gets to notice and report that itself. */
export const DEADLINE_GRACE_MS = 30_000;

/** Watches over the holder of a grant: its pod, its heartbeats, its time limit. */
export function holderLost(observed: TaskObservation, kind: 'run' | 'verify', now: number): TaskPlan {
  const { task, sandbox, lastHeartbeatAt, cancelSentAt, listeningSince } = observed;
  const holder = kind === 'run' ? task.status?.agent : task.status?.verifier;
  if (!holder) return { actions: [] };
  // A result may wait in the broker: nothing is concluded from not having heard it.
  if (listeningSince === undefined) return { actions: [], requeueAfterMs: RESULT_GRACE_MS };
  const attempt = attemptOf(task);
  const lost = (reason: string, message: string): TaskPlan =>
    endAttempt(observed, { class: 'infrastructure', reason, message }, now, []);
  if (sandbox && (sandbox.state === 'ended' || sandbox.state === 'missing')) {
    const left = Math.max(sandbox.goneSince ?? now, listeningSince) + RESULT_GRACE_MS - now;
    if (left > 0) return { actions: [], requeueAfterMs: left };
    if (!sandbox.confirmed) return { actions: [{ do: 'confirmSandbox', pod: holder.pod }] };
    const evicted = sandbox.reason === 'Evicted' || sandbox.reason === 'Preempted';
    return lost(
      evicted ? reasons.Evicted : reasons.SandboxLost,
      `sandbox ${holder.pod} ${sandbox.state === 'missing' ? 'is gone' : 'ended'} without a result${sandbox.message ? `: ${sandbox.message}` : ''}`,
    );
  }
  const since = Math.max(lastHeartbeatAt ?? 0, listeningSince, Date.parse(holder.at));
  const deadline = Date.parse(holder.at) + task.spec.timeoutSeconds * 1000 + DEADLINE_GRACE_MS;
  // Who is silent at the end of its time may have been dead for long: only an agent that is heard, and goes on, has overrun.
  const isHeard = now - (lastHeartbeatAt ?? 0) < HEARTBEAT_TIMEOUT_MS;
  if (now >= deadline && isHeard) {
    if (cancelSentAt === undefined)
      return {
        actions: [{ do: 'cancel', attempt, reason: 'the time limit has passed' }],
        requeueAfterMs: RESULT_GRACE_MS,
      };
    if (now - cancelSentAt < RESULT_GRACE_MS)
      return { actions: [], requeueAfterMs: cancelSentAt + RESULT_GRACE_MS - now };
    const message = `no result within spec.timeoutSeconds (${task.spec.timeoutSeconds}) and a grace period`;
    const failure: Failure = {
      class: kind === 'run' ? 'agent' : 'verification',
      reason: reasons.DeadlineExceeded,
      message,
    };
    const plan = endAttempt(observed, failure, now, []);
    return { ...plan, actions: [...plan.actions, { do: 'deleteSandbox', pod: holder.pod }] };
  }
  if (now - since >= HEARTBEAT_TIMEOUT_MS) {
    const plan = lost(reasons.SandboxLost, `${holder.pod} has been silent for ${Math.round((now - since) / 1000)} s`);
    return sandbox?.state === 'alive'
      ? { ...plan, actions: [...plan.actions, { do: 'deleteSandbox', pod: holder.pod }] }
      : plan;
  }
  const silentAt = since + HEARTBEAT_TIMEOUT_MS;
  return { actions: [], requeueAfterMs: (deadline > now ? Math.min(silentAt, deadline) : silentAt) - now + 1 };
}
