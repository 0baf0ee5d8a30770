import { type Broker, targets, type WorkKey } from '@millwright/broker';
import { type AgentPool, controlMessage } from '@millwright/crds';
import type { Cluster } from '../cluster.ts';
import type { WorkQueues } from './work-queues.ts';

/** Tells agents at work which queues they are to consume; those that start ask for it themselves. */
export function announcer(options: { broker: Broker; cluster: Pick<Cluster, 'pools'>; workQueues: WorkQueues }) {
  const { broker, cluster, workQueues } = options;

  /** All queues for one image, to the agents of one pool. */
  async function pool(of: AgentPool, image: string): Promise<void> {
    const { namespace, name } = of.metadata;
    await broker.publish(
      targets.agents(namespace),
      controlMessage,
      { type: 'queues', namespace, pool: name, image, queues: workQueues.queuesFor(of, image) },
      { mandatory: false },
    );
  }

  return {
    pool,
    /** To the agents of a pool that is gone, or is another operator's: those that idle end, those at work do when they are done. */
    async drain(namespace: string, pool: string): Promise<void> {
      await broker.publish(
        targets.agents(namespace),
        controlMessage,
        { type: 'drain', namespace, pool },
        { mandatory: false },
      );
    },
    /** A queue that is new, to every pool that may serve it. */
    async queue(namespace: string, key: WorkKey): Promise<void> {
      await Promise.all(cluster.pools.store.by('namespace', namespace).map((each) => pool(each, key.image)));
    },
  };
}
