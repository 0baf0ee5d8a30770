import type { Broker, Management } from '@millwright/broker';
import type { AgentPool, AgentTask, MillwrightResource, Project, Workflow } from '@millwright/crds';
import type { Logger, Telemetry } from '@millwright/otel';
import type { SandboxSettings } from './agent-pool/job.ts';
import type { Reachable } from './agent-pool/network-policy.ts';
import { Preparations } from './agent-pool/preparations.ts';
import { Troubles } from './agent-pool/troubles.ts';
import { TaskMemories } from './agent-task/memory.ts';
import { type Cluster, resources } from './cluster.ts';
import { announcer } from './dispatch/announce.ts';
import type { GrantSettings } from './dispatch/grant.ts';
import { WorkQueues } from './dispatch/work-queues.ts';
import { History } from './history.ts';
import { LazyWrites } from './lazy-writes.ts';
import { traceMessages } from './message-spans.ts';
import type { Note } from './note.ts';
import {
  type Controller,
  createEventRecorder,
  type KubeClient,
  keyOf,
  type ResourceType,
  type RuntimeMetrics,
  type Store,
  systemClock,
} from './runtime/index.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { type StatusWriter, statusWriter } from './status-writer.ts';
import type { TaskMetrics } from './task-metrics.ts';
import { traceTask, traceWorkflow } from './tracing.ts';

export interface OperatorOptions {
  /** Guarded by the leader election: it refuses to write once the lease is lost. */
  kube: KubeClient;
  /** Guarded alike. */
  broker: Broker;
  management: Management;
  /** Reflectors that have synced. */
  cluster: Cluster;
  /** The one namespace that is watched; all when absent. */
  watchNamespace?: string;
  epoch: () => number;
  /** This process, for Events. */
  instance: string;
  grants: GrantSettings;
  sandbox: SandboxSettings;
  /** Broker URL as sandboxes reach it. */
  sandboxAmqpUrl: string;
  reachable: Reachable;
  telemetry: Telemetry;
  logger: Logger;
  metrics: RuntimeMetrics;
  taskMetrics: TaskMetrics;
}

/** What one term of leadership works with. All that it holds in memory can be derived again by the next leader. */
export interface Leadership extends OperatorOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Since when messages arrive at this process, in milliseconds since the epoch; undefined: they do not. */
  listeningSince: number | undefined;
  memories: TaskMemories;
  scheduler: Scheduler;
  workQueues: WorkQueues;
  /** Names of pods that are to get no more work. */
  draining: Set<string>;
  preparations: Preparations;
  troubles: Troubles;
  lazy: LazyWrites;
  history: History;
  events: ReturnType<typeof createEventRecorder>;
  /** Says in a Kubernetes Event what happened to an object. */
  tell(object: MillwrightResource, note: Note | undefined): void;
  announce: ReturnType<typeof announcer>;
  writeStatus: {
    project: StatusWriter<Project>;
    pool: StatusWriter<AgentPool>;
    workflow: StatusWriter<Workflow>;
    task: StatusWriter<AgentTask>;
  };
  controllers: Partial<Record<Kind, Controller>>;
  /** Has an object looked at, once there is a controller to do it. */
  enqueue(kind: Kind, key: string): void;
}

/**
 * Progress of a Workflow is written the more rarely the larger it is: with each write of a status the API server goes through the whole object,
 * which takes it about 0.7 ms of one core per task of its spec.
 */
const PROGRESS_MS_PER_TASK = 10;

export type Kind = 'project' | 'pool' | 'workflow' | 'task' | 'sweep';

export function beginLeadership(options: OperatorOptions): Leadership {
  const { kube, broker, cluster, logger, metrics, telemetry } = options;
  const now = () => Date.now();
  const controllers: Leadership['controllers'] = {};
  const enqueue = (kind: Kind, key: string) => controllers[kind]?.enqueue(key);
  const traceMessage = traceMessages(telemetry, (key) => cluster.tasks.store.get(key), now);
  const memories = new TaskMemories((held) => {
    traceMessage(held);
    options.taskMetrics.settled(held.message);
  });
  const lazy = new LazyWrites({ clock: systemClock });
  const history = new History({ broker, logger, clock: systemClock, random: Math.random });
  const events = createEventRecorder({
    kube,
    component: 'millwright.dev/operator',
    instance: options.instance,
    logger,
    metrics,
  });
  const scheduler = new Scheduler({
    limits: {
      project: (key) => cluster.projects.store.get(key)?.spec.limits?.maxParallelTasks,
      workflow: (uid) => cluster.workflows.store.by('uid', uid)[0]?.spec.parallelism,
      pool: (key) => {
        const spec = cluster.pools.store.get(key)?.spec;
        return spec?.enabled ? spec.scale.max : 0;
      },
    },
    changed: (keys) => {
      for (const key of keys) enqueue('task', key);
    },
  });
  const workQueues = new WorkQueues((namespace, pool) => enqueue('pool', `${namespace}/${pool}`), now);

  const troubles = new Troubles((pool, image, trouble) => {
    const about = { pool: keyOf(pool), image };
    if (trouble) logger.warn('sandboxes of an image do not start', { ...about, problem: trouble.problem.message });
    else logger.info('sandboxes of an image start again', about);
    // Their status says what they wait for.
    for (const task of workQueues.waitingFor(pool.metadata, image)) enqueue('task', task);
  });

  const writer = <T extends MillwrightResource>(
    resource: ResourceType<T>,
    store: Store<T>,
    more: { lazyMs?: (object: T) => number; onWritten?: (before: T, after: T) => void } = {},
  ) =>
    statusWriter<T>({
      kube,
      resource,
      lazy,
      applyWrite: (object) => store.applyWrite(object),
      ...(more.lazyMs ? { lazyMs: more.lazyMs } : {}),
      onWritten: (before, after, note) => {
        history.record(after);
        more.onWritten?.(before, after);
        tell(after, note);
      },
    });
  const tell = (object: MillwrightResource, note: Note | undefined) => {
    if (note?.type === 'Normal') events.normal(object, note.reason, note.message);
    else if (note) events.warning(object, note.reason, note.message);
  };

  return {
    ...options,
    now,
    listeningSince: undefined,
    memories,
    scheduler,
    workQueues,
    draining: new Set(),
    preparations: new Preparations(),
    troubles,
    lazy,
    history,
    events,
    tell,
    announce: announcer({ broker, cluster, workQueues }),
    writeStatus: {
      project: writer(resources.projects, cluster.projects.store),
      pool: writer(resources.pools, cluster.pools.store),
      workflow: writer(resources.workflows, cluster.workflows.store, {
        lazyMs: ({ spec }) => spec.tasks.length * PROGRESS_MS_PER_TASK,
        onWritten: (_, after) => traceWorkflow(telemetry, after),
      }),
      task: writer(resources.tasks, cluster.tasks.store, {
        onWritten: (before, after) => {
          traceTask(telemetry, before, after, cluster.pods.store, memories.peek(after.metadata)?.sendings);
          options.taskMetrics.written(before, after);
        },
      }),
    },
    controllers,
    enqueue,
  };
}
