/** Messages that must arrive: published until RabbitMQ has confirmed them, over any number of reconnects. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Broker, InvalidMessageError, messageOf, targets } from '@millwright/broker';
import { type GrantMessage, heartbeatMessage, type ResultMessage, resultMessage } from '@millwright/crds';
import type { Logger } from '@millwright/otel';

const MAX_DELAY_MS = 5_000;

export const resultId = ({ task, attempt, kind }: Pick<ResultMessage, 'task' | 'attempt' | 'kind'>): string =>
  `${task.uid}:${attempt}:${kind}:result`;

/**
 * Publishes a result until it is confirmed. Publishing it twice is harmless, since its message id is the same.
 * @returns whether it was confirmed
 */
export async function report(
  broker: Pick<Broker, 'publish' | 'closed'>,
  result: ResultMessage,
  traceparent: string,
  logger: Logger,
): Promise<boolean> {
  let gone = false;
  broker.closed.then(() => {
    gone = true;
  });
  let message = result;
  for (let failures = 0; !gone; failures++) {
    try {
      await broker.publish(targets.results, resultMessage, message, { messageId: resultId(result), traceparent });
      return true;
    } catch (error) {
      logger.warn('the result is not confirmed yet', { error: messageOf(error), failures });
      if (error instanceof InvalidMessageError) {
        // A bug here, or text that encodes badly: the verdict must arrive all the same.
        if (message !== result) return false;
        message = bare(result);
        continue;
      }
      await sleep(Math.random() * Math.min(MAX_DELAY_MS, 100 * 2 ** failures));
    }
  }
  return false;
}

/** The result without what it can do without. */
function bare(result: ResultMessage): ResultMessage {
  const { summary: _, message: __, artifacts: ___, ...rest } = result;
  return rest;
}

/** Says every `intervalMs` that the attempt is alive, one message at a time; returns a function that stops it. */
export function startHeartbeat(
  broker: Pick<Broker, 'publish'>,
  { task, attempt, token }: GrantMessage,
  intervalMs: number,
): () => void {
  let underway = false;
  const timer = setInterval(() => {
    // While the broker is away they would only pile up.
    if (underway) return;
    underway = true;
    broker
      .publish(
        targets.results,
        heartbeatMessage,
        { type: 'heartbeat', task, attempt, token },
        { timeoutMs: intervalMs },
      )
      .catch(() => undefined)
      .finally(() => {
        underway = false;
      });
  }, intervalMs);
  return () => clearInterval(timer);
}
