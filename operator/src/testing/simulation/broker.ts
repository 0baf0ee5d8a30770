import type { WorkKey } from '@millwright/broker';
import type { ControlMessage } from '@millwright/crds';

/** A message with what RabbitMQ knows about it. */
export interface Envelope {
  body: unknown;
  userId: string;
  replyTo?: string;
  correlationId?: string;
  redelivered?: boolean;
  /** Milliseconds since the epoch; when it is received unless told. */
  sentAt?: number;
}

/** RabbitMQ: queues, and where replies and control messages go. */
export interface SimulatedBroker {
  isUp: boolean;
  /** Whether the connection is there on which the operator publishes: it consumes on another. */
  takesFromOperator: boolean;
  readonly results: Envelope[];
  readonly answers: Envelope[];
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
  takesFromOperator: true,
  results: [],
  answers: [],
  effects: [],
  work: new Map(),
  dead: [],
  onReply: () => undefined,
  isWaiting: () => false,
  onControl: () => undefined,
});

/** The queues that the operator consumes. */
export const inboundQueues = ['results', 'answers'] as const;

/** What the operator was delivered: a message, and its queue. */
export interface Inbound {
  queue: (typeof inboundQueues)[number];
  envelope: Envelope;
}

/** Messages that were delivered and not settled come again. */
export function redeliver(broker: SimulatedBroker, delivered: Iterable<Inbound>): void {
  for (const name of inboundQueues) {
    const again = [...delivered].filter(({ queue }) => queue === name);
    broker[name].unshift(...again.map(({ envelope }) => ({ ...envelope, redelivered: true })));
  }
}
