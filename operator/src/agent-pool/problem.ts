import { reasons } from '@millwright/crds';
import type { Cluster, Job, Pod } from '../cluster.ts';
import { keyOf } from '../runtime/index.ts';

/** Why a sandbox does not start, in the kubelet's words, and what to change. */
export interface Problem {
  reason: string;
  message: string;
}

/** Waiting reasons of containers that do not go away by waiting. */
const STUCK = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

const UNSCHEDULABLE = 'Unschedulable';

/** A Job has its pod within a moment, unless something refuses it. */
export const NO_POD_MS = 30_000;

/** Whether the next sandbox like it would meet the same. Where there is no room, that is what room comes for. */
export const isStuck = ({ reason }: Problem): boolean => reason !== UNSCHEDULABLE && reason !== reasons.SandboxRefused;

/**
 * Why a Job that is at work may have no pod: only its events say it.
 * @param now milliseconds since the epoch
 */
export function noPod({ metadata }: Job, now: number): Problem | undefined {
  if (now - Date.parse(metadata.creationTimestamp) < NO_POD_MS) return undefined;
  const message = `Job ${metadata.name} gets no pod: a quota or a webhook may refuse it; look at \`kubectl -n ${metadata.namespace} describe job ${metadata.name}\``;
  return { reason: reasons.SandboxRefused, message };
}

export function problemOf({ status }: Pod): Problem | undefined {
  for (const container of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const waiting = container.state?.waiting;
    if (waiting?.reason === undefined || !STUCK.has(waiting.reason)) continue;
    const isImage = waiting.reason.includes('Image');
    const remedy = isImage
      ? remedies[container.name === 'workspace' ? 'workspace' : 'agent']
      : 'look at the events of the pod';
    // What to change comes last and must not be cut off.
    const said = `container ${container.name}: ${waiting.reason}: ${waiting.message ?? ''}`.slice(0, 700);
    return { reason: isImage ? reasons.ImagePull : reasons.SandboxLost, message: `${said}; ${remedy}` };
  }
  const unschedulable = status?.conditions?.find((c) => c.type === 'PodScheduled' && c.status === 'False');
  if (unschedulable?.reason === UNSCHEDULABLE)
    return { reason: UNSCHEDULABLE, message: `no node can take the sandbox: ${unschedulable.message ?? ''}` };
  return undefined;
}

const remedies = {
  workspace:
    'correct spec.workspace.image of the Project or the task, or spec.image of the AgentPool, or make the image available to the nodes',
  agent: 'correct images.agents and images.pullSecrets of the installation, or make the image available to the nodes',
};

export const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** Whether a sandbox was granted a task. Its pod may be gone before its Job: with its node, or because it did not stop when it was told to. */
export const isSpent = (job: Job, pod: Pod | undefined, { tasks }: Pick<Cluster, 'tasks'>): boolean =>
  (pod ? tasks.store.keysBy('pod', keyOf(pod)) : tasks.store.keysBy('job', keyOf(job))).length > 0;
