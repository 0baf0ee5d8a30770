import type { Broker } from './types.ts';

/** One message in `millwright.dead`. */
export interface DeadLetter {
  /** 16 hex digits, the same whenever it is looked at. */
  id: string;
  /** Why it is here, such as `invalid: …` or RabbitMQ's own `rejected`, `expired`, `delivery_limit`. */
  reason: string;
  /** The queue it was taken from; a re-drive puts it back there. */
  queue: string | undefined;
  /** How it was published. */
  exchange: string;
  routingKey: string;
  /** RFC 3339. */
  diedAt: string | undefined;
  messageId: string | undefined;
  /** The verified user that published it. */
  userId: string | undefined;
  bytes: number;
  /** Whether only its beginning was kept, so that it cannot be re-driven. */
  truncated: boolean;
  headers: Record<string, unknown>;
  /** UTF-8, at most 64 KiB. */
  content: string;
}

export type DeadLetterFilter = { all: true } | { ids: readonly string[] };

/** The oldest `limit` dead letters. They stay where they are. */
export declare function listDeadLetters(broker: Broker, options: { limit: number }): Promise<DeadLetter[]>;
export declare function redriveDeadLetters(
  broker: Broker,
  filter: DeadLetterFilter,
  onFailure?: (letter: DeadLetter, error: unknown) => void,
): Promise<number>;
export declare function dropDeadLetters(broker: Broker, filter: DeadLetterFilter): Promise<number>;
