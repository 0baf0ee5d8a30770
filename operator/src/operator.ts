import { topology } from '@millwright/broker';
import { effectResultMessage, operatorInbound } from '@millwright/crds';
import { startPools } from './agent-pool/controller.ts';
import { startSweep } from './agent-pool/sweep.ts';
import { startTasks } from './agent-task/controller.ts';
import { resources } from './cluster.ts';
import { createInbound } from './dispatch/inbound.ts';
import { LOOK_FOR_LOST_WORK_MS, repeatLostWork } from './dispatch/lost-work.ts';
import { connectEvents } from './events.ts';
import { beginLeadership, type Leadership, type OperatorOptions } from './leadership.ts';
import { startProjects } from './project/controller.ts';
import { isNotFound, keyOf } from './runtime/index.ts';
import { enqueueAll, occupySlots, repeatReports } from './take-over.ts';
import { startWorkflows } from './workflow/controller.ts';

export interface Operator {
  /** Published work that nobody has claimed yet. */
  unclaimed(): ReturnType<Leadership['workQueues']['unclaimed']>;
  stop(): Promise<void>;
}

/** How many unsettled messages of each queue the operator holds. */
const PREFETCH = 2_000;

/** Starts everything that only the leader does, on caches that are in sync. */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const leadership = beginLeadership(options);
  const {
    broker,
    cluster,
    scheduler,
    history,
    workQueues,
    draining,
    preparations,
    memories,
    events,
    enqueue,
    logger,
    now,
  } = leadership;
  const workflows = startWorkflows(leadership);
  Object.assign(leadership.controllers, {
    task: startTasks(leadership),
    workflow: workflows,
    pool: startPools(leadership),
    project: startProjects(leadership),
    sweep: startSweep(leadership),
  });
  occupySlots(leadership);
  const disconnectEvents = connectEvents({
    cluster,
    scheduler,
    enqueue,
    record: (object, deleted) => history.record(object, deleted),
    poolChanged: (pool) => {
      for (const image of workQueues.images(pool.metadata.namespace))
        leadership.announce
          .pool(pool, image)
          .catch((error: unknown) =>
            logger.warn('queues of a pool could not be announced', { pool: keyOf(pool), error: String(error) }),
          );
    },
    workflowGone: workflows.forget,
    podGone: ({ metadata }) => draining.delete(metadata.name),
    policyTouched: (pool) => preparations.forget(pool),
  });
  repeatReports(leadership);
  enqueueAll(leadership);

  let lookForLost: NodeJS.Timeout | undefined;
  const followBroker = broker.onStateChange((state) => {
    if (state === 'disconnected') {
      clearTimeout(lookForLost);
      leadership.listeningSince = undefined;
    } else if (state === 'connected' && leadership.listeningSince === undefined) {
      leadership.listeningSince = now();
      // A broker that has been away may have come back without its users, and without what it was sent.
      preparations.forgetAll();
      enqueueAll(leadership);
      lookForLost = setTimeout(
        () => void repeatLostWork({ broker, workQueues, memories, enqueue: (task) => enqueue('task', task), logger }),
        LOOK_FOR_LOST_WORK_MS,
      );
    }
  });
  const inbound = inboundOf(leadership);
  const consumers = await Promise.all([
    broker.consume(topology.results, operatorInbound, inbound.fromAgents, {
      prefetch: PREFETCH,
      onLost: () => memories.dropFromAgents(),
    }),
    broker.consume(topology.answers, effectResultMessage, inbound.fromPublisher, {
      prefetch: PREFETCH,
      onLost: () => memories.dropFromPublisher(),
    }),
  ]);
  if (broker.connected) leadership.listeningSince ??= now();

  return {
    unclaimed: () => workQueues.unclaimed(),
    async stop() {
      for (const consumer of consumers)
        await consumer
          .cancel()
          .catch((error: unknown) => logger.warn('consumer was not cancelled', { error: String(error) }));
      disconnectEvents();
      followBroker();
      clearTimeout(lookForLost);
      history.stop();
      await Promise.all(Object.values(leadership.controllers).map((controller) => controller.stop()));
      await events.stop();
    },
  };
}

function inboundOf(leadership: Leadership): ReturnType<typeof createInbound> {
  const { kube, broker, cluster, memories, workQueues, draining, grants, enqueue, logger, now } = leadership;
  return createInbound({
    broker,
    memories,
    signingKey: grants.signingKey,
    logger,
    now,
    listeningSince: () => leadership.listeningSince,
    cached: (key) => cluster.tasks.store.get(key),
    live: async ({ namespace, name }) => {
      const task = await kube.get(resources.tasks, { namespace, name }).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      });
      if (!task) return undefined;
      cluster.tasks.store.applyWrite(task);
      // Not there: it has gone to another shard, and is not this operator's to decide.
      return cluster.tasks.store.get(keyOf(task));
    },
    queuesFor: ({ namespace, agent, image }) => {
      const pool = cluster.pools.store.get(`${namespace}/${agent.pool}`);
      return !pool?.spec.enabled || draining.has(agent.pod) ? undefined : workQueues.queuesFor(pool, image);
    },
    enqueue: (key) => enqueue('task', key),
  });
}
