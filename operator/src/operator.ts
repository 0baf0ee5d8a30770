import { type Broker, type Management, targets, topology, type WorkKey } from '@millwright/broker';
import {
  type AgentPool,
  type AgentTask,
  controlMessage,
  isFinished,
  operatorInbound,
  type Project,
  type Workflow,
} from '@millwright/crds';
import type { Logger, Telemetry } from '@millwright/otel';
import { executePool } from './agent-pool/execute.ts';
import type { SandboxSettings } from './agent-pool/job.ts';
import type { Reachable } from './agent-pool/network-policy.ts';
import { observePool } from './agent-pool/observe.ts';
import { planPool } from './agent-pool/plan.ts';
import { preparePool } from './agent-pool/prepare.ts';
import { retirePool } from './agent-pool/retire.ts';
import { executeTask } from './agent-task/execute.ts';
import { TaskMemories } from './agent-task/memory.ts';
import { observeTask } from './agent-task/observe.ts';
import { planTask } from './agent-task/plan.ts';
import { type Cluster, resources } from './cluster.ts';
import type { GrantSettings } from './dispatch/grant.ts';
import { createInbound } from './dispatch/inbound.ts';
import { WorkQueues } from './dispatch/work-queues.ts';
import { connectEvents } from './events.ts';
import { History } from './history.ts';
import { LazyWrites } from './lazy-writes.ts';
import { spanOfResult } from './message-spans.ts';
import type { Note } from './note.ts';
import { planProject } from './project/plan.ts';
import {
  type Controller,
  createEventRecorder,
  isNotFound,
  type KubeClient,
  keyOf,
  type RuntimeMetrics,
  startController,
  systemClock,
} from './runtime/index.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { statusWriter } from './status-writer.ts';
import type { TaskMetrics } from './task-metrics.ts';
import { traceTask, traceTaskAgain, traceWorkflow } from './tracing.ts';
import { executeWorkflow } from './workflow/execute.ts';
import { type DagCache, observeWorkflow } from './workflow/observe.ts';
import { planWorkflow } from './workflow/plan.ts';

export interface OperatorOptions {
  /** Guarded by the leader election: it refuses to write once the lease is lost. */
  kube: KubeClient;
  broker: Broker;
  management: Management;
  /** Reflectors that have synced. */
  cluster: Cluster;
  epoch: () => number;
  writesAllowed: () => boolean;
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

export interface Operator {
  stop(): Promise<void>;
}

/** How many unsettled messages the operator holds: results wait here while their verification runs. */
const PREFETCH = 2_000;
/** Spans of what ended this long before a restart are emitted again, in case the end of the process came between. */
const REPEAT_SPANS_MS = 120_000;
const WORKERS = 16;

/** Starts everything that only the leader does, on caches that are in sync. */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { kube, broker, cluster, logger, metrics, telemetry } = options;
  const now = () => Date.now();
  const memories = new TaskMemories((key, { delivery, message, receivedAt }) => {
    const task = telemetry.enabled ? cluster.tasks.store.get(key) : undefined;
    if (task) telemetry.emit(spanOfResult(task, delivery, message, receivedAt, now()));
  });
  /** Since when messages arrive here, in milliseconds since the epoch. */
  let listeningSince: number | undefined;
  const draining = new Set<string>();
  const dags: DagCache = new Map();
  const lazy = new LazyWrites({ clock: systemClock });
  const history = new History({ broker, logger, allowed: options.writesAllowed });
  const events = createEventRecorder({
    kube,
    component: 'millwright.dev/operator',
    instance: options.instance,
    logger,
    metrics,
  });
  const controllers: { tasks?: Controller; workflows?: Controller; pools?: Controller; projects?: Controller } = {};
  const enqueueTask = (key: string) => controllers.tasks?.enqueue(key);
  const enqueuePool = (key: string) => controllers.pools?.enqueue(key);

  const scheduler = new Scheduler({
    limits: {
      project: (key) => cluster.projects.store.get(key)?.spec.limits?.maxParallelTasks,
      workflow: (uid) => cluster.workflows.store.by('uid', uid)[0]?.spec.parallelism,
      pool: (key) => {
        const spec = cluster.pools.store.get(key)?.spec;
        return spec?.enabled ? spec.scale.max : 0;
      },
    },
    changed: (keys) => keys.forEach(enqueueTask),
  });
  const workQueues = new WorkQueues((namespace, pool) => enqueuePool(`${namespace}/${pool}`));

  const tell = (object: Project | AgentPool | Workflow | AgentTask, note: Note | undefined) => {
    if (note?.type === 'Normal') events.normal(object, note.reason, note.message);
    else if (note) events.warning(object, note.reason, note.message);
  };
  const writeTask = statusWriter<AgentTask>({
    kube,
    resource: resources.tasks,
    lazy,
    applyWrite: (task) => cluster.tasks.store.applyWrite(task),
    onWritten: (before, after, note) => {
      history.record(after);
      traceTask(telemetry, before, after, memories.peek(keyOf(after))?.sendings);
      options.taskMetrics.written(before, after);
      tell(after, note);
    },
  });
  const writeWorkflow = statusWriter<Workflow>({
    kube,
    resource: resources.workflows,
    lazy,
    applyWrite: (workflow) => cluster.workflows.store.applyWrite(workflow),
    onWritten: (_before, after, note) => {
      history.record(after);
      traceWorkflow(telemetry, after);
      tell(after, note);
    },
  });
  const writePool = statusWriter<AgentPool>({
    kube,
    resource: resources.pools,
    lazy,
    applyWrite: (pool) => cluster.pools.store.applyWrite(pool),
    onWritten: (_before, after, note) => {
      history.record(after);
      tell(after, note);
    },
  });
  const writeProject = statusWriter<Project>({
    kube,
    resource: resources.projects,
    lazy,
    applyWrite: (project) => cluster.projects.store.applyWrite(project),
    onWritten: (_before, after, note) => {
      history.record(after);
      tell(after, note);
    },
  });

  /** Pools by uid and generation whose user, Secret and NetworkPolicy this leader has made sure of. */
  const prepared = new Set<string>();
  const preparedKey = (pool: AgentPool) => `${pool.metadata.uid}/${pool.metadata.generation}`;

  async function announce(pool: AgentPool, image: string): Promise<void> {
    await broker.publish(
      targets.control,
      controlMessage,
      {
        type: 'queues',
        namespace: pool.metadata.namespace,
        pool: pool.metadata.name,
        image,
        queues: workQueues.queuesFor(pool, image),
      },
      { mandatory: false },
    );
  }
  async function announceQueue(namespace: string, key: WorkKey): Promise<void> {
    await Promise.all(cluster.pools.store.by('namespace', namespace).map((pool) => announce(pool, key.image)));
  }

  controllers.tasks = startController({
    name: 'agent-task',
    workers: WORKERS,
    logger,
    metrics,
    reconcile: async (key) => {
      const observed = await observeTask(key, {
        kube,
        cluster,
        memories,
        scheduler,
        draining,
        epoch: options.epoch,
        now,
        random: Math.random,
        listeningSince: () => listeningSince,
      });
      if (!observed) return forgetTask(key);
      const plan = planTask(observed, now());
      const again = await executeTask(observed.task, plan.actions, {
        kube,
        broker,
        cluster,
        memories,
        scheduler,
        workQueues,
        writeStatus: writeTask,
        settings: options.grants,
        announceQueue,
        epoch: options.epoch,
        now,
        logger,
      });
      return soonest(again, plan.requeueAfterMs);
    },
  });

  function forgetTask(key: string): void {
    memories.forget(key);
    scheduler.release(key);
    workQueues.settled(key);
    lazy.clear(`AgentTask/${key}`);
  }

  controllers.workflows = startController({
    name: 'workflow',
    workers: WORKERS,
    logger,
    metrics,
    reconcile: async (key) => {
      const observed = observeWorkflow(key, cluster, dags);
      if (!observed) return;
      const plan = planWorkflow(observed, now());
      const again = await executeWorkflow(observed.workflow, plan.actions, {
        kube,
        cluster,
        writeStatus: writeWorkflow,
        enqueueTask,
      });
      return soonest(again, plan.requeueAfterMs);
    },
  });

  controllers.pools = startController({
    name: 'agent-pool',
    workers: 2,
    logger,
    metrics,
    reconcile: async (key) => {
      const observed = observePool(key, {
        cluster,
        scheduler,
        workQueues,
        draining,
        prepared: (pool) => prepared.has(preparedKey(pool)),
      });
      if (!observed) return retirePool(key, { cluster, management: options.management });
      const plan = planPool(observed, now());
      const again = await executePool(observed.pool, plan.actions, {
        kube,
        cluster,
        settings: options.sandbox,
        writeStatus: writePool,
        draining,
        prepare: async (pool) => {
          await preparePool(pool, {
            kube,
            management: options.management,
            sandboxAmqpUrl: options.sandboxAmqpUrl,
            signingKey: options.grants.signingKey,
            reachable: options.reachable,
          });
          prepared.add(preparedKey(pool));
        },
      });
      return soonest(again, plan.requeueAfterMs);
    },
  });

  controllers.projects = startController({
    name: 'project',
    workers: 1,
    logger,
    metrics,
    reconcile: async (key) => {
      const project = cluster.projects.store.get(key);
      if (!project) return;
      const status = planProject({ project, workflows: cluster.workflows.store.by('project', key) }, now());
      const outcome = await writeProject(project, status, { lazy: project.status !== undefined });
      return outcome.state === 'delayed' ? { requeueAfterMs: outcome.delayMs } : undefined;
    },
  });

  /** Slots of tasks that are at work are taken before anybody else is admitted. */
  for (const task of cluster.tasks.store.values()) {
    const holder =
      task.status?.phase === 'Verifying' ? (task.status.verifier ?? task.status.agent) : task.status?.agent;
    if (task.status?.phase !== 'Running' && task.status?.phase !== 'Verifying') continue;
    const workflow = task.metadata.labels?.['millwright.dev/workflow-uid'];
    scheduler.occupy({
      key: keyOf(task),
      project: `${task.metadata.namespace}/${task.spec.projectRef.name}`,
      ...(workflow === undefined ? {} : { workflow }),
      pool: `${task.metadata.namespace}/${holder?.pool ?? ''}`,
    });
  }

  const disconnectEvents = connectEvents({
    cluster,
    scheduler,
    enqueueTask,
    enqueuePool,
    enqueueWorkflow: (key) => controllers.workflows?.enqueue(key),
    enqueueProject: (key) => controllers.projects?.enqueue(key),
    record: (object, deleted) => history.record(object, deleted),
    poolChanged: (pool) => {
      for (const image of workQueues.images(pool.metadata.namespace))
        announce(pool, image).catch((error: unknown) =>
          logger.warn('queues of a pool could not be announced', { pool: keyOf(pool), error: String(error) }),
        );
    },
    workflowGone: (workflow) => {
      dags.delete(workflow.metadata.uid);
      lazy.clear(`Workflow/${keyOf(workflow)}`);
    },
  });

  const isRecent = (at: string | undefined) => now() - Date.parse(at ?? '') < REPEAT_SPANS_MS;
  for (const workflow of cluster.workflows.store.values())
    if (isRecent(workflow.status?.finishedAt)) traceWorkflow(telemetry, workflow);
  for (const task of cluster.tasks.store.values())
    if (isRecent(task.status?.history?.at(-1)?.finishedAt)) traceTaskAgain(telemetry, task);
  for (const store of [cluster.projects.store, cluster.pools.store, cluster.workflows.store, cluster.tasks.store])
    for (const object of store.values()) history.record(object);
  for (const task of cluster.tasks.store.values()) if (!isFinished(task.status?.phase)) enqueueTask(keyOf(task));
  for (const workflow of cluster.workflows.store.values()) controllers.workflows.enqueue(keyOf(workflow));
  for (const pool of cluster.pools.store.values()) enqueuePool(keyOf(pool));
  for (const project of cluster.projects.store.values()) controllers.projects.enqueue(keyOf(project));

  const followBroker = broker.onStateChange((state) => {
    if (state === 'disconnected') {
      listeningSince = undefined;
      memories.dropDeliveries();
    } else if (state === 'connected') listeningSince ??= now();
  });
  const inbound = createInbound({
    broker,
    memories,
    signingKey: options.grants.signingKey,
    logger,
    now,
    listeningSince: () => listeningSince,
    cached: (key) => cluster.tasks.store.get(key),
    live: async ({ namespace, name }) => {
      const task = await kube.get(resources.tasks, { namespace, name }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      if (task) cluster.tasks.store.applyWrite(task);
      return task;
    },
    queuesFor: ({ namespace, agent, image }) => {
      const pool = cluster.pools.store.get(`${namespace}/${agent.pool}`);
      return !pool?.spec.enabled || draining.has(agent.pod) ? undefined : workQueues.queuesFor(pool, image);
    },
    enqueue: enqueueTask,
  });
  const consumer = await broker.consume(topology.results, operatorInbound, inbound, { prefetch: PREFETCH });
  if (broker.connected) listeningSince ??= now();

  return {
    async stop() {
      await consumer
        .cancel()
        .catch((error: unknown) => logger.warn('consumer was not cancelled', { error: String(error) }));
      disconnectEvents();
      followBroker();
      await Promise.all(Object.values(controllers).map((controller) => controller.stop()));
      await events.stop();
    },
  };
}

/** The earlier of two wishes to look again. */
function soonest(a: number | undefined, b: number | undefined): { requeueAfterMs: number } | undefined {
  const ms = Math.min(a ?? Number.POSITIVE_INFINITY, b ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(ms) ? { requeueAfterMs: Math.max(0, ms) } : undefined;
}
