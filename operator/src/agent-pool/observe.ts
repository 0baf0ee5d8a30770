import { type AgentPool, annotations, type Project } from '@millwright/crds';
import { type Cluster, type Job, jobOf, type Pod } from '../cluster.ts';
import type { WorkQueues } from '../dispatch/work-queues.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import { type SandboxSettings, sandboxRevision } from './job.ts';
import type { PoolObservation, SandboxView } from './plan.ts';
import type { Preparation } from './preparations.ts';
import { isReady, isSpent, noPod, problemOf } from './problem.ts';
import { usersIn, workspaceResources } from './resources.ts';
import type { Troubles } from './troubles.ts';

export interface ObservePoolOptions {
  cluster: Cluster;
  scheduler: Scheduler;
  workQueues: WorkQueues;
  settings: SandboxSettings;
  draining: ReadonlySet<string>;
  preparation: (pool: AgentPool) => Preparation;
  troubles: Troubles;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** Reads everything the plan for a pool may look at; undefined when it does not exist. */
export function observePool(key: string, options: ObservePoolOptions): PoolObservation | undefined {
  const { cluster, scheduler, workQueues, settings } = options;
  const pool = cluster.pools.store.get(key);
  if (!pool) return undefined;
  const { namespace, name } = pool.metadata;
  const users = usersIn(cluster, namespace);
  const warmImages = imagesOf(pool, users.projects);
  const podByJob = new Map<string, Pod>();
  for (const pod of cluster.pods.store.by('pool', key)) {
    const job = jobOf(pod);
    if (job !== undefined) podByJob.set(job, pod);
  }
  const revisions = new Map<string, string>();
  const isOutdated = ({ metadata: { annotations: own } }: Job): boolean => {
    const image = own?.[annotations.image] ?? '';
    let revision = revisions.get(image);
    if (revision === undefined) {
      revision = sandboxRevision({ pool, image, resources: workspaceResources(pool, image, users) }, settings);
      revisions.set(image, revision);
    }
    return own?.[annotations.revision] !== revision;
  };
  const sandboxes = cluster.jobs.store.by('pool', key).map((job) => ({
    ...viewOf(job, podByJob.get(job.metadata.name), options),
    outdated: isOutdated(job),
  }));
  return {
    pool,
    sandboxes,
    demand: workQueues.demand(namespace, name),
    warmImages: pool.spec.scale.warm > 0 ? warmImages : [],
    inUse: scheduler.inUse().get(key) ?? 0,
    waiting: scheduler.waitingPerPool().get(key) ?? 0,
    queues: workQueues.queuesFor(pool).sort(),
    preparation: options.preparation(pool),
    troubles: options.troubles.look(pool, sandboxes, options.now()),
    projects: (image) => projectsWith(image, pool, users.projects),
  };
}

const imageOf = ({ spec }: Project, pool: AgentPool): string | undefined => spec.workspace?.image ?? pool.spec.image;

/** Workspace images that tasks of the namespace's projects use on this pool. */
function imagesOf(pool: AgentPool, projects: readonly Project[]): string[] {
  const images = projects.filter(({ spec }) => spec.enabled).flatMap((project) => imageOf(project, pool) ?? []);
  return [...new Set(images)];
}

const projectsWith = (image: string, pool: AgentPool, projects: readonly Project[]): string[] =>
  projects
    .filter((project) => project.spec.enabled && imageOf(project, pool) === image)
    .map(({ metadata }) => metadata.name)
    .sort();

function viewOf(
  job: Job,
  pod: Pod | undefined,
  { cluster, draining, now }: ObservePoolOptions,
): Omit<SandboxView, 'outdated'> {
  const { metadata } = job;
  const endedAt = endOf(job);
  const state = stateOf(job, pod, cluster);
  // One that had a task had a pod.
  const problem = pod ? problemOf(pod) : state === 'spent' ? undefined : noPod(job, now());
  return {
    job: metadata.name,
    ordinal: Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1)) || 0,
    image: metadata.annotations?.[annotations.image] ?? '',
    ...(pod ? { pod: pod.metadata.name } : {}),
    state,
    draining: metadata.deletionTimestamp !== undefined || (pod !== undefined && draining.has(pod.metadata.name)),
    deleted: metadata.deletionTimestamp !== undefined,
    createdAt: Date.parse(metadata.creationTimestamp),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(problem ? { problem } : {}),
  };
}

function stateOf(job: Job, pod: Pod | undefined, cluster: Cluster): SandboxView['state'] {
  const done = job.status?.conditions?.find(
    (c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  );
  const spent = isSpent(job, pod, cluster);
  if (done?.type === 'Complete' || pod?.status?.phase === 'Succeeded') return 'succeeded';
  // A sandbox that failed after it was granted a task says nothing about the next one.
  if (done || pod?.status?.phase === 'Failed') return spent ? 'succeeded' : 'failed';
  if (spent) return 'spent';
  return pod && isReady(pod) ? 'idle' : 'starting';
}

function endOf(job: Job): number | undefined {
  const done = job.status?.conditions?.find(
    (c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  );
  return done?.lastTransitionTime === undefined ? undefined : Date.parse(done.lastTransitionTime);
}
