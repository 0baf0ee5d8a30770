import type { WorkKey } from '@millwright/broker';
import type { ControlMessage } from '@millwright/crds';

/** A message with what RabbitMQ knows about it. */
export interface Envelope {
  body: unknown;
  userId: string;
  replyTo?: string;
  correlationId?: string;
  redelivered?: boolean;
}

/** RabbitMQ: queues, and where replies and control messages go. */
export interface SimulatedBroker {
  isUp: boolean;
  readonly results: Envelope[];
  readonly effects: Envelope[];
  /** By name of the queue. */
  readonly work: Map<string, { key: WorkKey; ready: Envelope[] }>;
  /** Reasons of the messages that went to `millwright.dead`. */
  readonly dead: string[];
  /** Where a reply goes. */
  onReply: (replyTo: string, correlationId: string | undefined, body: unknown) => void;
  /** Whether the connection is there on which somebody asked. */
  isWaiting: (replyTo: string) => boolean;
  onControl: (message: ControlMessage) => void;
}

export const createBroker = (): SimulatedBroker => ({
  isUp: true,
  results: [],
  effects: [],
  work: new Map(),
  dead: [],
  onReply: () => undefined,
  isWaiting: () => false,
  onControl: () => undefined,
});

/** Messages that were delivered and not settled come again. */
export function redeliver(broker: SimulatedBroker, envelopes: Iterable<Envelope>): void {
  broker.results.unshift(...[...envelopes].map((envelope) => ({ ...envelope, redelivered: true })));
}
