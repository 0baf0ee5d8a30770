import { reasons, type Workflow } from '@millwright/crds';

/** Why a Workflow ends before its DAG does; its tasks look here too. */
export interface Ending {
  reason: string;
  message: string;
  phase: 'Cancelled' | 'Failed';
}

/** @param now milliseconds since the epoch */
export function endingOf(workflow: Workflow, now: number): Ending | undefined {
  if (workflow.spec.cancel)
    return { reason: reasons.CancelledByUser, message: 'spec.cancel was set', phase: 'Cancelled' };
  const timeout = workflow.spec.timeoutSeconds;
  if (timeout !== undefined && now >= Date.parse(workflow.metadata.creationTimestamp) + timeout * 1000)
    return {
      reason: reasons.DeadlineExceeded,
      message: `spec.timeoutSeconds (${timeout}) passed before all tasks had ended`,
      phase: 'Failed',
    };
  return undefined;
}
