import type { Broker } from '@millwright/broker';
import type { Logger } from '@millwright/otel';
import type { TaskMemories } from '../agent-task/memory.ts';
import type { WorkQueues } from './work-queues.ts';

/**
 * Has work published again that the broker does not hold any more: it may have come back without what it was sent. What an agent holds that has
 * asked for the task is not in the queue either; a second copy of it is harmless.
 */
export async function repeatLostWork(options: {
  broker: Broker;
  workQueues: WorkQueues;
  memories: TaskMemories;
  enqueue: (task: string) => void;
  logger: Logger;
}): Promise<void> {
  const { broker, workQueues, memories, enqueue, logger } = options;
  for (const [queue, tasks] of workQueues.waitingPerQueue()) {
    const { messages } = await broker.queueDepth(queue);
    if (messages >= tasks.length) continue;
    logger.warn('work is missing at the broker and is published again', { queue, messages, expected: tasks.length });
    for (const task of tasks) {
      memories.workLost(task);
      enqueue(task);
    }
  }
}
