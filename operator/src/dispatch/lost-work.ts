import type { Broker } from '@millwright/broker';
import type { Logger } from '@millwright/otel';
import type { TaskMemories } from '../agent-task/memory.ts';
import type { WorkQueues } from './work-queues.ts';

/** After the connection has come back: claims of agents that hold work arrive within it. */
export const LOOK_FOR_LOST_WORK_MS = 5_000;

/**
 * Has work published again that the broker does not hold any more: it may have come back without what it was sent. What an agent holds that has
 * asked for the task is not in the queue either, and not lost.
 */
export async function repeatLostWork(options: {
  broker: Pick<Broker, 'queueDepth'>;
  workQueues: Pick<WorkQueues, 'waitingPerQueue'>;
  memories: Pick<TaskMemories, 'isClaimed' | 'workLost'>;
  enqueue: (task: string) => void;
  logger: Logger;
}): Promise<void> {
  const { broker, workQueues, memories, enqueue, logger } = options;
  for (const [queue, waiting] of workQueues.waitingPerQueue()) {
    const tasks = waiting.filter((task) => !memories.isClaimed(task));
    const messages = await broker.queueDepth(queue).then(
      (depth) => depth.messages,
      (error: unknown) => logger.warn('a work queue could not be looked at', { queue, error: String(error) }),
    );
    if (messages === undefined || messages >= tasks.length) continue;
    logger.warn('work is missing at the broker and is published again', { queue, messages, expected: tasks.length });
    for (const task of tasks) {
      memories.workLost(task);
      enqueue(task);
    }
  }
}
