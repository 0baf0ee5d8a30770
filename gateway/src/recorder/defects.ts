import { topology } from '@millwright/broker';
import type { EventMessage } from '@millwright/crds';

/** Postgres' bigint holds 19 digits; Kubernetes' versions are far from that. */
const version = /^(0|[1-9]\d{0,17})$/;
const storableTime = (text: string): boolean => {
  const year = new Date(text).getUTCFullYear();
  return year >= 1970 && year <= 9999;
};

/**
 * Why a message that its schema allows cannot be recorded all the same; undefined when it can.
 *
 * RabbitMQ lets an agent publish only under routing keys of its own namespace, so the key says what the message may be about. After
 * a re-drive, which only administrators can do, there is no such key.
 */
export function defect(message: EventMessage, origin: { exchange: string; routingKey: string }): string | undefined {
  const key = `${message.type}.${message.namespace}`;
  if (origin.exchange === topology.events && origin.routingKey !== key) {
    return `foreign: published as "${origin.routingKey}", but it says "${key}"`;
  }
  if (message.type !== 'snapshot' && message.task.namespace !== message.namespace) {
    return `foreign: an event of namespace "${message.namespace}" about a task of "${message.task.namespace}"`;
  }
  if (!storableTime(message.at)) return `invalid: at "${message.at}" is no time`;
  if (message.type !== 'snapshot') return undefined;
  if (!storableTime(message.createdAt)) return `invalid: createdAt "${message.createdAt}" is no time`;
  if (!version.test(message.resourceVersion)) {
    return `invalid: resourceVersion "${message.resourceVersion}" is no number that could be compared`;
  }
  return undefined;
}
