import { ConnectionLostError, type Delivery } from '@millwright/broker';
import {
  type AgentTask,
  type EffectResultMessage,
  effectResultMessage,
  type OperatorInbound,
  operatorInbound,
  type Workflow,
} from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { Troubles } from '../../agent-pool/troubles.ts';
import type { TaskPlan } from '../../agent-task/actions.ts';
import type { TaskMemories } from '../../agent-task/memory.ts';
import type { TaskObservation } from '../../agent-task/observation.ts';
import { reconcileTask } from '../../agent-task/reconcile.ts';
import { type Cluster, resources, watchCluster } from '../../cluster.ts';
import { createInbound } from '../../dispatch/inbound.ts';
import { WorkQueues } from '../../dispatch/work-queues.ts';
import { connectEvents } from '../../events.ts';
import { LazyWrites } from '../../lazy-writes.ts';
import type { Kind } from '../../leadership.ts';
import { isNotFound, KubeError, type KubeObject, keyOf, noMetrics, type Store, soonest } from '../../runtime/index.ts';
import { Scheduler } from '../../scheduler/scheduler.ts';
import { statusWriter } from '../../status-writer.ts';
import { enqueueAll, occupySlots } from '../../take-over.ts';
import type { WorkflowPlan } from '../../workflow/actions.ts';
import { executeWorkflow } from '../../workflow/execute.ts';
import { type DagCache, observeWorkflow } from '../../workflow/observe.ts';
import type { WorkflowObservation } from '../../workflow/plan.ts';
import type { Api } from './api.ts';
import { type Inbound, redeliver, type SimulatedBroker } from './broker.ts';
import type { Chance } from './chance.ts';
import { connectOutside, Died } from './outside.ts';

/** The parts of the operator that a mutant replaces. */
export interface Brain {
  planTask: (observed: TaskObservation, now: number) => TaskPlan;
  planWorkflow: (observed: WorkflowObservation, now: number) => WorkflowPlan;
  /** A message before it is looked at. `task`: as the API server has it. */
  read: (message: OperatorInbound, task: AgentTask | undefined) => OperatorInbound;
  /** What a process remembers of tasks. */
  memories: () => TaskMemories;
  /** Writes without a precondition, and takes every copy that a watch brings for the newest. */
  trustsCache: boolean;
  /** The publisher asks whether an attempt goes on before it moves a branch. */
  publisherAsks: boolean;
}

export interface ProcessOptions {
  api: Api;
  broker: SimulatedBroker;
  chance: Chance;
  brain: Brain;
  now: () => number;
  epoch: number;
  mayFail: boolean;
  killPod: (pod: string) => void;
  /** Something else that happens while a call is under way. */
  meanwhile: () => Promise<void>;
}

export const SIGNING_KEY = 'simulation'.padEnd(32, '.');
const kinds = ['Project', 'AgentPool', 'Workflow', 'AgentTask', 'Pod'] as const;

/** One leading operator: the real observation, plans, execution, inbox and scheduler around a simulated API server and broker. */
export function startProcess(options: ProcessOptions) {
  const { api, broker, brain, now } = options;
  let isDead = false;
  const dirty = new Set<string>();
  const timers = new Map<string, number>();
  const deferred: (() => void)[] = [];
  const unsettled = new Set<Inbound>();
  let listeningSince: number | undefined = broker.isUp && broker.takesFromOperator ? now() : undefined;

  const { kube, client, connected } = connectOutside({
    ...options,
    trustsCache: brain.trustsCache,
    isDead: () => isDead,
    die: () => {
      isDead = true;
    },
  });

  const cluster: Cluster = watchCluster({ kube, logger: silentLogger, metrics: noMetrics });
  const stores: Record<string, Store<KubeObject, string>> = {
    Project: cluster.projects.store,
    AgentPool: cluster.pools.store,
    Workflow: cluster.workflows.store,
    AgentTask: cluster.tasks.store,
    Pod: cluster.pods.store,
  } as never;
  /** Where each watch began, and how far it has come. */
  const listedAt = new Map<string, number>(kinds.map((kind) => [kind, api.told.length]));
  const positions = new Map(listedAt);
  for (const kind of kinds) for (const object of api.list(kind)) stores[kind]?.upsert(object as KubeObject, 'list');

  const memories = brain.memories();
  const dags: DagCache = new Map();
  const enqueue = (kind: Kind, key: string) => {
    if (kind === 'task') dirty.add(`AgentTask ${key}`);
    if (kind === 'workflow') dirty.add(`Workflow ${key}`);
  };
  const enqueueTask = (key: string) => enqueue('task', key);
  const lazy = new LazyWrites({ clock: { now, wall: now, after: () => () => undefined } });
  const scheduler = new Scheduler({
    limits: {
      project: (key) => cluster.projects.store.get(key)?.spec.limits?.maxParallelTasks,
      workflow: (uid) => cluster.workflows.store.by('uid', uid)[0]?.spec.parallelism,
      pool: (key) => cluster.pools.store.get(key)?.spec.scale.max ?? 0,
    },
    changed: (keys) => keys.forEach(enqueueTask),
    defer: (run) => deferred.push(run),
  });
  const troubles = new Troubles(() => {});
  const workQueues = new WorkQueues(() => undefined, now);
  const writer = <T extends AgentTask | Workflow>(
    resource: typeof resources.tasks,
    store: { applyWrite: (object: T) => void },
  ) =>
    statusWriter<T>({
      kube,
      resource: resource as never,
      lazy,
      applyWrite: (object) => store.applyWrite(object),
      onWritten: () => undefined,
    });
  const writeTask = writer<AgentTask>(resources.tasks, cluster.tasks.store);
  const writeWorkflow = writer<Workflow>(resources.workflows as never, cluster.workflows.store);

  occupySlots({ cluster, scheduler });
  enqueueAll({ cluster, enqueue });
  connectEvents({
    cluster,
    scheduler,
    enqueue,
    record: () => undefined,
    poolChanged: () => undefined,
    workflowGone: () => undefined,
    podGone: () => undefined,
    policyTouched: () => undefined,
  });

  const live = async ({ namespace, name }: { namespace: string; name: string }) => {
    const task = await kube.get(resources.tasks, { namespace, name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (task) cluster.tasks.store.applyWrite(task);
    return task;
  };
  const inbound = createInbound({
    broker: client,
    memories,
    signingKey: SIGNING_KEY,
    logger: silentLogger,
    now,
    listeningSince: () => listeningSince,
    cached: (key) => cluster.tasks.store.get(key),
    live,
    queuesFor: () => undefined,
    enqueue: enqueueTask,
  });

  async function reconcile(kind: string, key: string): Promise<number | undefined> {
    if (kind === 'Workflow') {
      const observed = observeWorkflow(key, cluster, dags);
      if (!observed) return undefined;
      const plan = brain.planWorkflow(observed, now());
      const again = await executeWorkflow(observed.workflow, plan.actions, {
        kube,
        cluster,
        writeStatus: writeWorkflow,
        enqueueTask,
      });
      return soonest(again, plan.requeueAfterMs)?.requeueAfterMs;
    }
    return reconcileTask(key, {
      kube,
      broker: client,
      cluster,
      memories,
      scheduler,
      troubles,
      workQueues,
      lazy,
      draining: new Set(),
      random: () => 0.5,
      listeningSince: () => listeningSince,
      plan: brain.planTask,
      writeStatus: writeTask,
      settings: {
        signingKey: SIGNING_KEY,
        gatewayUrl: 'http://gateway',
        author: { name: 'n', email: 'n@example.org' },
      },
      announceQueue: async () => undefined,
      epoch: () => options.epoch,
      now,
      logger: silentLogger,
    });
  }

  /** Takes a copy of an object as the newest there is, whatever is known: what no cache may do. */
  function believe(kind: string, object: KubeObject): void {
    const store = stores[kind];
    const known = store?.get(keyOf(object));
    const { resourceVersion } = object.metadata;
    const newer = `${Math.max(Number(known?.metadata.resourceVersion ?? 0), Number(resourceVersion)) + 0.5}`;
    store?.upsert({ ...object, metadata: { ...object.metadata, resourceVersion: newer } }, 'watch');
  }

  return {
    isDead: () => isDead,
    unsettled,
    dirty: () => [...dirty],
    /** Runs what waits for the next turn of the event loop. */
    turn(): void {
      for (const run of deferred.splice(0)) run();
    },
    async pass(entry: string): Promise<void> {
      dirty.delete(entry);
      const [kind = '', key = ''] = entry.split(' ');
      try {
        const againMs = await reconcile(kind, key);
        // As in the controller: what the last pass asked for is all there is to do later.
        timers.delete(entry);
        if (againMs === undefined) return;
        if (againMs <= 0) dirty.add(entry);
        else timers.set(entry, now() + againMs);
      } catch (error) {
        if (!(error instanceof Died || error instanceof KubeError || error instanceof ConnectionLostError)) throw error;
        dirty.add(entry);
      }
    },
    nextTimer: () => (timers.size === 0 ? undefined : Math.min(...timers.values())),
    /** Makes the keys dirty whose time has come. */
    wake(): void {
      for (const [entry, due] of timers)
        if (due <= now()) {
          timers.delete(entry);
          dirty.add(entry);
        }
    },
    /** Kinds whose watch has something to tell. */
    watching: () =>
      kinds.filter((kind) => api.told.slice(positions.get(kind)).some(({ object }) => object.kind === kind)),
    watch(kind: string): void {
      for (let position = positions.get(kind) ?? 0; position < api.told.length; position++) {
        const event = api.told[position];
        positions.set(kind, position + 1);
        if (event?.object.kind !== kind) continue;
        const { resourceVersion } = event.object.metadata;
        if (event.deleted) stores[kind]?.remove(keyOf(event.object as KubeObject), resourceVersion, 'watch');
        else stores[kind]?.upsert(event.object as KubeObject, 'watch');
        return;
      }
    },
    /** The watch has missed something and lists: of what came in between only the end is seen. */
    relist(kind: string): void {
      const listed = api.list(kind) as KubeObject[];
      for (const object of listed) stores[kind]?.upsert(object, 'list');
      stores[kind]?.removeUnlisted(new Set(listed.map(keyOf)), api.version());
      listedAt.set(kind, api.told.length);
      positions.set(kind, api.told.length);
    },
    /** The watch brings an old copy once more. */
    replay(choice: number): void {
      const index = choice % Math.max(1, api.told.length);
      const event = api.told[index];
      if (!event || event.deleted) return;
      const { kind } = event.object;
      if (index < (listedAt.get(kind) ?? 0)) return;
      if (brain.trustsCache) believe(kind, event.object as KubeObject);
      else stores[kind]?.upsert(event.object as KubeObject, 'watch');
    },
    async receive(delivered: Inbound): Promise<void> {
      const { queue, envelope } = delivered;
      unsettled.add(delivered);
      const settle = () => void (isDead || unsettled.delete(delivered));
      const properties = {
        userId: envelope.userId,
        redelivered: envelope.redelivered ?? false,
        sentAt: envelope.sentAt ?? now(),
        replyTo: envelope.replyTo,
        correlationId: envelope.correlationId,
        ack: settle,
        requeue: () => {
          if (!isDead && unsettled.delete(delivered)) redeliver(broker, [delivered]);
        },
        deadLetter: async (reason: string) => {
          await connected(() => broker.dead.push(reason));
          settle();
        },
      };
      try {
        if (queue === 'answers') {
          const message = effectResultMessage.parse(envelope.body);
          await inbound.fromPublisher({ ...properties, message } as unknown as Delivery<EffectResultMessage>);
        } else {
          const raw = operatorInbound.parse(envelope.body);
          const task = 'task' in raw ? api.get('AgentTask', `${raw.task.namespace}/${raw.task.name}`) : undefined;
          const message = brain.read(raw, task as AgentTask | undefined);
          await inbound.fromAgents({ ...properties, message } as unknown as Delivery<OperatorInbound>);
        }
      } catch (error) {
        if (!(error instanceof Died)) throw error;
      }
    },
    /** A connection of the operator was lost. */
    disconnected(): void {
      listeningSince = undefined;
    },
    /** What was delivered and not settled comes again, when it was a connection that consumes. */
    lost(queue: Inbound['queue']): void {
      const delivered = [...unsettled].filter((each) => each.queue === queue);
      for (const each of delivered) unsettled.delete(each);
      redeliver(broker, delivered);
      if (queue === 'results') memories.dropFromAgents();
      else memories.dropFromPublisher();
    },
    connected(): void {
      if (listeningSince !== undefined) return;
      listeningSince = now();
      enqueueAll({ cluster, enqueue });
    },
  };
}

export type OperatorProcess = ReturnType<typeof startProcess>;
