/** The work queues an agent consumes: a set that changes while it is idle. */
import { type Broker, type Consumer, type Delivery, messageOf } from '@millwright/broker';
import { type WorkMessage, workMessage } from '@millwright/crds';
import type { Logger } from '@millwright/otel';

export interface Subscriptions {
  /** Consumes exactly these queues from now on. */
  set(queues: readonly string[]): void;
  /** Stops for good. What was delivered can still be settled. */
  close(): Promise<void>;
}

export function createSubscriptions(options: {
  broker: Pick<Broker, 'consume'>;
  onDelivery: (delivery: Delivery<WorkMessage>) => void;
  /** A queue cannot be consumed: it does not exist yet, or not any more. */
  onRefused: () => void;
  logger: Logger;
}): Subscriptions {
  const { broker, onDelivery, onRefused, logger } = options;
  const consumers = new Map<string, Promise<Consumer | undefined>>();
  let closed = false;

  function add(queue: string): void {
    const consumer = broker.consume(queue, workMessage, onDelivery, { prefetch: 1 }).catch((error: unknown) => {
      logger.warn('a work queue cannot be consumed', { queue, error: messageOf(error) });
      if (consumers.get(queue) === consumer) consumers.delete(queue);
      if (!closed) onRefused();
      return undefined;
    });
    consumers.set(queue, consumer);
  }

  async function remove(queue: string): Promise<void> {
    const consumer = consumers.get(queue);
    consumers.delete(queue);
    await (await consumer)?.cancel();
  }

  return {
    set(queues) {
      if (closed) return;
      const wanted = new Set(queues);
      for (const queue of [...consumers.keys()]) if (!wanted.has(queue)) void remove(queue);
      for (const queue of wanted) if (!consumers.has(queue)) add(queue);
    },
    async close() {
      closed = true;
      await Promise.all([...consumers.keys()].map(remove));
    },
  };
}
