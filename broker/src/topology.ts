/**
 * Names and arguments of every exchange and queue. Queue arguments cannot change once a queue exists, so what is here is what
 * RabbitMQ 3.10 and 4.x both understand, and differing defaults (the delivery limit) are always given.
 */
import { createHash } from 'node:crypto';
import type { Channel, Replies } from 'amqplib';
import type { Target } from './types.ts';

/** Delays of the retry queues in milliseconds. One TTL per queue: mixed TTLs in one queue block at its head. */
export const retryTiers = { '5s': 5_000, '60s': 60_000 } as const;
export type RetryTier = keyof typeof retryTiers;

export const topology = {
  /** Direct exchange; the routing key is the work queue's name. */
  work: 'millwright.work',
  /** Where retry queues dead-letter to: work queues and `effects` are bound to it, and what no queue takes goes to `dead` instead of nowhere. */
  again: 'millwright.work.again',
  /** Topic exchange; the routing key is a namespace, whose agents hear it. */
  agents: 'millwright.agents',
  /** Fanout exchange: tokens that are no longer good, for the git hosts. */
  revocations: 'millwright.revocations',
  /** Fanout exchange and the queue bound to it: with an exchange of its own, writing there needs no right on the default exchange. */
  results: 'millwright.results',
  /** Fanout exchange and its queue. */
  effects: 'millwright.effects',
  /**
   * Fanout exchange and its queue: what came of effects. Apart from `results`, where a result may be held until the answer to its effect is
   * here: behind a full prefetch of such results, no answer would ever arrive.
   */
  answers: 'millwright.answers',
  /** Fanout exchange and its queue: questions of the operator to whichever git host is free. */
  probes: 'millwright.probes',
  /** Topic exchange; the routing key is `<type>.<namespace>`. */
  events: 'millwright.events',
  /** Queue with every event. */
  recorder: 'events.recorder',
  /** Fanout exchange and its queue. */
  dead: 'millwright.dead',
  /** Topic exchange and its queue; the routing key is the name of the queue to return to. */
  retry: (tier: RetryTier) => `millwright.retry.${tier}` as const,
} as const;

/** Where to publish what. */
export const targets = {
  work: (queue: string): Target => ({ exchange: topology.work, routingKey: queue }),
  agents: (namespace: string): Target => ({ exchange: topology.agents, routingKey: namespace }),
  revocations: { exchange: topology.revocations, routingKey: '' } as Target,
  results: { exchange: topology.results, routingKey: topology.results } as Target,
  effects: { exchange: topology.effects, routingKey: topology.effects } as Target,
  answers: { exchange: topology.answers, routingKey: topology.answers } as Target,
  probes: { exchange: topology.probes, routingKey: topology.probes } as Target,
  event: (type: string, namespace: string): Target => ({
    exchange: topology.events,
    routingKey: `${type}.${namespace}`,
  }),
};

/** What decides which sandboxes can take a task: all that a sandbox is started with. */
export interface WorkKey {
  engine: 'runner' | 'llm';
  image: string;
  capabilities: readonly string[];
}

/** `work.<namespace>.<16 hex digits>` of the key, whatever the order of its capabilities. */
export function workQueueName(namespace: string, key: WorkKey): string {
  const canonical = JSON.stringify([key.engine, key.image, [...new Set(key.capabilities)].sort()]);
  return `work.${namespace}.${createHash('sha256').update(canonical).digest('hex').slice(0, 16)}`;
}

/** Identities under which publishing twice is harmless. */
export const messageIds = {
  work: (uid: string, attempt: number, kind: 'run' | 'verify'): string =>
    kind === 'run' ? `${uid}:${attempt}` : `${uid}:${attempt}:verify`,
  effect: (uid: string, attempt: number, what: string): string => `${uid}:${attempt}:${what}`,
};

/** A work queue that nobody consumes from, declares or reads for so long is deleted, with what is in it. */
export const WORK_QUEUE_EXPIRES_MS = 30 * 60_000;

/** The broker's own redelivery limit only guards against endless crashes: operators that restart must not lose results to it. */
const DELIVERY_LIMIT = 1_000;

/** Looking at dead letters returns them to the queue, and each return counts. */
const DEAD_DELIVERY_LIMIT = 1_000_000_000;

/** The oldest dead letters go first beyond this, so that a flood of poison fills no disk and blocks no queue. */
const MAX_DEAD_LETTERS = 100_000;

/** Whoever asked has given up by then. */
const PROBE_TTL_MS = 60_000;

const quorum = { 'x-queue-type': 'quorum' };

/** At-least-once dead-lettering requires `reject-publish`. */
const deadLettered = {
  ...quorum,
  'x-dead-letter-exchange': topology.dead,
  'x-dead-letter-strategy': 'at-least-once',
  'x-overflow': 'reject-publish',
  'x-delivery-limit': DELIVERY_LIMIT,
};

export interface QueueSpec {
  name: string;
  arguments: Record<string, unknown>;
  bindings: readonly { exchange: string; key: string }[];
}

interface ExchangeSpec {
  name: string;
  type: 'direct' | 'fanout' | 'topic';
  alternate?: string;
}

const tiers = Object.entries(retryTiers) as [RetryTier, number][];

export const exchanges: readonly ExchangeSpec[] = [
  { name: topology.dead, type: 'fanout' },
  { name: topology.work, type: 'direct' },
  { name: topology.again, type: 'direct', alternate: topology.dead },
  // Topic, as below: a pool may listen to its own namespace only.
  { name: topology.agents, type: 'topic' },
  { name: topology.revocations, type: 'fanout' },
  { name: topology.results, type: 'fanout' },
  { name: topology.effects, type: 'fanout' },
  { name: topology.answers, type: 'fanout' },
  { name: topology.probes, type: 'fanout' },
  { name: topology.events, type: 'topic' },
  // Topic, because only topic exchanges let a user be limited to some routing keys: a pool may return work to its own namespace only.
  ...tiers.map(([tier]): ExchangeSpec => ({ name: topology.retry(tier), type: 'topic' })),
];

export const queues: readonly QueueSpec[] = [
  {
    name: topology.dead,
    arguments: { ...quorum, 'x-max-length': MAX_DEAD_LETTERS, 'x-delivery-limit': DEAD_DELIVERY_LIMIT },
    bindings: [{ exchange: topology.dead, key: '' }],
  },
  { name: topology.results, arguments: deadLettered, bindings: [{ exchange: topology.results, key: '' }] },
  {
    name: topology.effects,
    arguments: deadLettered,
    bindings: [
      { exchange: topology.effects, key: '' },
      { exchange: topology.again, key: topology.effects },
    ],
  },
  { name: topology.answers, arguments: deadLettered, bindings: [{ exchange: topology.answers, key: '' }] },
  {
    name: topology.probes,
    arguments: { ...quorum, 'x-message-ttl': PROBE_TTL_MS, 'x-delivery-limit': DELIVERY_LIMIT },
    bindings: [{ exchange: topology.probes, key: '' }],
  },
  { name: topology.recorder, arguments: deadLettered, bindings: [{ exchange: topology.events, key: '#' }] },
  ...tiers.map(
    ([tier, ttl]): QueueSpec => ({
      name: topology.retry(tier),
      arguments: { ...deadLettered, 'x-dead-letter-exchange': topology.again, 'x-message-ttl': ttl },
      bindings: [{ exchange: topology.retry(tier), key: '#' }],
    }),
  ),
];

export const workQueue = (name: string, expiresMs = WORK_QUEUE_EXPIRES_MS): QueueSpec => ({
  name,
  arguments: { ...deadLettered, 'x-expires': expiresMs },
  bindings: [
    { exchange: topology.work, key: name },
    { exchange: topology.again, key: name },
  ],
});

/** Whether retry queues can give a message back to this queue. */
export const isRetried = (queue: string): boolean => queue.startsWith('work.') || queue === topology.effects;

/** The shortest tier that waits at least `delayMs`, or the longest there is. */
export function retryTier(delayMs: number): RetryTier {
  const ascending = [...tiers].sort((a, b) => a[1] - b[1]);
  const chosen = ascending.find(([, ttl]) => ttl >= delayMs) ?? ascending.at(-1);
  return chosen?.[0] ?? '5s';
}

/** Declares one queue and its bindings; what exists with the same arguments stays as it is. */
export async function declareQueue(channel: Channel, spec: QueueSpec): Promise<Replies.AssertQueue> {
  const [declared] = await Promise.all([
    channel.assertQueue(spec.name, { durable: true, arguments: spec.arguments }),
    ...spec.bindings.map((binding) => channel.bindQueue(spec.name, binding.exchange, binding.key)),
  ]);
  return declared;
}

/**
 * Declares a work queue and keeps it from expiring while messages wait in it and no sandbox has come yet. Declaring again renews the
 * lease of classic queues only; for quorum queues a read does (tried on 3.10). What is read goes back when the channel closes.
 */
export async function declareWorkQueue(channel: Channel, spec: QueueSpec): Promise<void> {
  const { messageCount, consumerCount } = await declareQueue(channel, spec);
  if (messageCount > 0 && consumerCount === 0) await channel.get(spec.name);
}

/** Declares everything but work queues and live queues, which come and go. Idempotent. */
export async function declareTopology(channel: Channel): Promise<void> {
  await Promise.all(
    exchanges.map((exchange) =>
      channel.assertExchange(exchange.name, exchange.type, {
        durable: true,
        ...(exchange.alternate === undefined ? {} : { alternateExchange: exchange.alternate }),
      }),
    ),
  );
  for (const queue of queues) await declareQueue(channel, queue);
}
