import { annotations, reasons } from '@millwright/crds';
import type { Cluster, Pod } from '../cluster.ts';

/** Why a sandbox does not start, in the kubelet's words, and what to change. */
export interface Problem {
  reason: string;
  message: string;
}

/**
 * How long a start may be stuck before the tasks that wait for it are told. The kubelet tries to pull an image at once and after 10, 20, 40 and
 * 80 seconds more: by then it has tried five times, which a registry that restarts survives, while others wait for the slot.
 */
export const STUCK_START_MS = 3 * 60_000;

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

/** Why no node takes the pod: another node, or room on one, helps, and another attempt does not. */
const UNSCHEDULABLE = 'Unschedulable';

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

/** Whether it was granted a task. */
export const isSpent = ({ metadata }: Pod, { tasks }: Pick<Cluster, 'tasks'>): boolean =>
  tasks.store.keysBy('pod', `${metadata.namespace}/${metadata.name}`).length > 0;

/**
 * Why work for an image is not claimed: a sandbox of the pool has been stuck in its start for long, and none idles.
 * @param pool `<namespace>/<name>`
 * @param now milliseconds since the epoch
 */
export function stuckStart(
  pool: string,
  image: string,
  cluster: Pick<Cluster, 'pods' | 'tasks'>,
  now: number,
): Problem | undefined {
  let found: Problem | undefined;
  for (const pod of cluster.pods.store.by('pool', pool)) {
    const { annotations: own, creationTimestamp, deletionTimestamp } = pod.metadata;
    if (own?.[annotations.image] !== image || deletionTimestamp !== undefined || isSpent(pod, cluster)) continue;
    if (isReady(pod)) return undefined;
    if (now - Date.parse(creationTimestamp) < STUCK_START_MS) continue;
    const problem = problemOf(pod);
    if (problem && problem.reason !== UNSCHEDULABLE) found ??= problem;
  }
  return found;
}
