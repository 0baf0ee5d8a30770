/** Looking at what is in `millwright.dead`, and putting it back where it came from. */
import { createHash } from 'node:crypto';
import type { Channel, GetMessage } from 'amqplib';
import { BrokerError, UnroutableError } from './errors.ts';
import { carriedProperties, header, publisherOf, stringOf } from './headers.ts';
import { retryTiers, topology } from './topology.ts';
import type { Broker } from './types.ts';

/** One message in `millwright.dead`. */
export interface DeadLetter {
  /** 16 hex digits, the same whenever it is looked at. */
  id: string;
  /** Why it is here, such as `invalid: …`, or RabbitMQ's own word: `rejected`, `expired`, `delivery_limit`. */
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
  /** UTF-8, at most 64 KiB of it. */
  content: string;
}

export type DeadLetterFilter = { all: true } | { ids: readonly string[] };

const MAX_SHOWN_BYTES = 64 * 1024;

/** The oldest `limit` dead letters. They stay where they are. */
export async function listDeadLetters(broker: Broker, options: { limit: number }): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  await walk(broker, options.limit, async (letter) => {
    letters.push(letter);
  });
  return letters;
}

/** One dead letter, or undefined when there is none with this id. */
export async function findDeadLetter(broker: Broker, id: string): Promise<DeadLetter | undefined> {
  let found: DeadLetter | undefined;
  await walk(broker, Number.POSITIVE_INFINITY, async (letter) => {
    if (letter.id === id) found = letter;
  });
  return found;
}

/**
 * Publishes the chosen dead letters to the queue they were taken from, with their original properties, and returns how many. Each
 * leaves `millwright.dead` only when RabbitMQ has confirmed its copy. When the queue is gone, the original exchange and routing key are
 * tried; what then fails stays, and is reported to `onFailure`.
 */
export async function redriveDeadLetters(
  broker: Broker,
  filter: DeadLetterFilter,
  onFailure: (letter: DeadLetter, error: unknown) => void = () => {},
): Promise<number> {
  let count = 0;
  await walk(broker, Number.POSITIVE_INFINITY, async (letter, raw, channel) => {
    if (!matches(filter, letter)) return;
    try {
      await redrive(broker, letter, raw);
    } catch (error) {
      onFailure(letter, error);
      return;
    }
    channel.ack(raw);
    count++;
  });
  return count;
}

/** Deletes the chosen dead letters for good and returns how many. */
export async function dropDeadLetters(broker: Broker, filter: DeadLetterFilter): Promise<number> {
  let count = 0;
  await walk(broker, Number.POSITIVE_INFINITY, async (letter, raw, channel) => {
    if (!matches(filter, letter)) return;
    channel.ack(raw);
    count++;
  });
  return count;
}

const matches = (filter: DeadLetterFilter, letter: DeadLetter): boolean =>
  'all' in filter || filter.ids.includes(letter.id);

/** Takes what is there now, oldest first; what the visitor does not acknowledge goes back, in order. */
async function walk(
  broker: Broker,
  limit: number,
  visit: (letter: DeadLetter, raw: GetMessage, channel: Channel) => Promise<void>,
): Promise<void> {
  await broker.withChannel(async (channel) => {
    // What is re-driven may die again while we look: only what is there with the first one is taken.
    let remaining = limit;
    for (let first = true; remaining > 0; first = false) {
      const raw = await channel.get(topology.dead);
      if (!raw) break;
      if (first) remaining = Math.min(limit, raw.fields.messageCount + 1);
      remaining--;
      await visit(describe(raw, broker.user), raw, channel);
    }
    // Closing the channel would return them too, but some time later: the next look would miss them.
    channel.nackAll(true);
  });
}

async function redrive(broker: Broker, letter: DeadLetter, raw: GetMessage): Promise<void> {
  if (letter.truncated) throw new BrokerError('only the beginning of the message was kept');
  const carried = carriedProperties(raw.properties);
  // Also when it is not known: a message must not gain our own identity by being re-driven.
  const headers = { ...carried.headers, [header.userId]: letter.userId ?? '' };
  const properties = { ...carried, headers };
  const original = { exchange: letter.exchange, routingKey: letter.routingKey };
  if (letter.queue === undefined) return broker.publishRaw(original, raw.content, properties);
  try {
    await broker.publishRaw({ exchange: '', routingKey: letter.queue }, raw.content, properties);
  } catch (error) {
    if (!(error instanceof UnroutableError) || letter.exchange === '') throw error;
    await broker.publishRaw(original, raw.content, properties);
  }
}

/** What a message in `millwright.dead` tells about itself. `ownUser` is the user of the connection that reads it. */
export function describe(raw: GetMessage, ownUser: string): DeadLetter {
  const { properties, fields, content } = raw;
  const headers: Record<string, unknown> = properties.headers ?? {};
  const messageId = stringOf(properties.messageId);
  const fullSize = headers[header.truncated];
  const told = consumersWord(headers) ? consumersDeath(headers) : brokersDeath(headers);
  const death = told ?? { ...unknownDeath, ...pick(fields) };
  return {
    id: identity(content, messageId, death.queue, death.diedAt),
    ...death,
    messageId,
    userId: consumersWord(headers) ? stringOf(headers[header.userId]) : publisherOf(properties, ownUser),
    bytes: typeof fullSize === 'number' ? fullSize : content.length,
    truncated: fullSize !== undefined && consumersWord(headers),
    headers,
    content: content.subarray(0, MAX_SHOWN_BYTES).toString(),
  };
}

type Death = Pick<DeadLetter, 'reason' | 'queue' | 'exchange' | 'routingKey' | 'diedAt'>;

const unknownDeath = { reason: 'unknown', queue: undefined, diedAt: undefined };
const pick = (fields: GetMessage['fields']) => ({ exchange: fields.exchange, routingKey: fields.routingKey });

/**
 * Whether our own headers can be believed: only consumers with a right on the exchange put messages there themselves, and they drop
 * `x-death`. With it, the message came by RabbitMQ's hand, and its other headers are as a sandbox may have written them.
 */
const consumersWord = (headers: Record<string, unknown>): boolean => headers['x-death'] === undefined;

function consumersDeath(headers: Record<string, unknown>): Death | undefined {
  const queue = stringOf(headers[header.queue]);
  if (queue === undefined) return undefined;
  return {
    reason: stringOf(headers[header.reason]) ?? 'unknown',
    queue,
    exchange: stringOf(headers[header.exchange]) ?? '',
    routingKey: stringOf(headers[header.routingKey]) ?? queue,
    diedAt: stringOf(headers[header.diedAt]),
  };
}

/** RabbitMQ keeps a list of deaths, the latest first (https://www.rabbitmq.com/docs/dlx#effects). */
function brokersDeath(headers: Record<string, unknown>): Death | undefined {
  const deaths = headers['x-death'];
  const latest: unknown = Array.isArray(deaths) ? deaths[0] : undefined;
  if (typeof latest !== 'object' || latest === null) return undefined;
  const death = latest as Record<string, unknown>;
  const keys = death['routing-keys'];
  const routingKey = stringOf(Array.isArray(keys) ? keys[0] : undefined) ?? '';
  const queue = stringOf(death.queue);
  const common = { exchange: stringOf(death.exchange) ?? '', routingKey, diedAt: timestampOf(death.time) };
  if (queue !== undefined && retryQueues.has(queue)) {
    return {
      ...common,
      reason: `unroutable: work queue ${routingKey} is gone`,
      queue: routingKey,
      exchange: topology.work,
    };
  }
  return { ...common, reason: stringOf(death.reason) ?? 'unknown', queue };
}

const retryQueues = new Set<string>((Object.keys(retryTiers) as (keyof typeof retryTiers)[]).map(topology.retry));

/** AMQP timestamps count seconds; amqplib wraps those in tables. */
function timestampOf(time: unknown): string | undefined {
  if (typeof time !== 'object' || time === null || !('value' in time) || typeof time.value !== 'number')
    return undefined;
  return new Date(time.value * 1000).toISOString();
}

function identity(
  content: Buffer,
  messageId: string | undefined,
  queue: string | undefined,
  diedAt: string | undefined,
) {
  return createHash('sha256')
    .update(JSON.stringify([messageId, queue, diedAt]))
    .update(content)
    .digest('hex')
    .slice(0, 16);
}
