/** The headers of this module, and what of a message's properties survives when it is published anew. */
import type { MessageProperties } from 'amqplib';
import type { RawProperties } from './types.ts';

export const header = {
  traceparent: 'traceparent',
  /** On messages in `millwright.dead` that were put there by a consumer. */
  reason: 'x-millwright-reason',
  queue: 'x-millwright-queue',
  exchange: 'x-millwright-exchange',
  routingKey: 'x-millwright-routing-key',
  diedAt: 'x-millwright-died-at',
  truncated: 'x-millwright-truncated',
  /** The verified user of the first publisher. Believed only from a publisher with our own user. */
  userId: 'x-millwright-user-id',
  /** How often a work message went through a retry queue. */
  retries: 'x-millwright-retries',
} as const;

/** W3C Trace Context, version 00. */
const traceparentPattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export function traceparentOf(headers: Record<string, unknown>): string | undefined {
  const value = headers[header.traceparent];
  return typeof value === 'string' && traceparentPattern.test(value) ? value : undefined;
}

/** A string property or header; undefined for anything else that a foreign publisher may have put there. */
export const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

/**
 * Properties to publish a message with again. Headers starting with `x-` are the broker's and ours, and say how this copy travelled:
 * a kept `x-death` would make RabbitMQ 3 take the new journey for a cycle and drop the message.
 */
export function carriedProperties(properties: MessageProperties): RawProperties {
  const headers = Object.fromEntries(
    Object.entries(properties.headers ?? {}).filter(([name]) => !/^(x-|CC$|BCC$)/.test(name)),
  );
  return defined<RawProperties>({
    headers,
    messageId: stringOf(properties.messageId),
    correlationId: stringOf(properties.correlationId),
    replyTo: stringOf(properties.replyTo),
    contentType: stringOf(properties.contentType),
    contentEncoding: stringOf(properties.contentEncoding),
    type: stringOf(properties.type),
    appId: stringOf(properties.appId),
    timestamp: numberOf(properties.timestamp),
    priority: numberOf(properties.priority),
    persistent: properties.deliveryMode !== 1,
  });
}

/** The verified publisher of a message; the original one (none, if that is not known) if we have re-driven it ourselves. */
export function publisherOf(properties: MessageProperties, ownUser: string): string | undefined {
  const userId = stringOf(properties.userId);
  if (userId !== ownUser) return userId;
  const first = stringOf(properties.headers?.[header.userId]);
  return first === '' ? undefined : (first ?? userId);
}

function defined<T extends object>(properties: { [K in keyof T]?: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as T;
}
