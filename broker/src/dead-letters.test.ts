import type { GetMessage } from 'amqplib';
import { expect, describe as group, it } from 'vitest';
import { describe } from './dead-letters.ts';

function got(properties: Record<string, unknown>, content = '{}'): GetMessage {
  return {
    content: Buffer.from(content),
    fields: { deliveryTag: 1, redelivered: false, exchange: 'millwright.dead', routingKey: 'key', messageCount: 0 },
    properties,
  } as unknown as GetMessage;
}

const byConsumer = {
  'x-millwright-reason': 'invalid: no',
  'x-millwright-queue': 'millwright.results',
  'x-millwright-exchange': 'millwright.results',
  'x-millwright-routing-key': 'r',
  'x-millwright-died-at': '2030-01-01T00:00:00.000Z',
  'x-millwright-user-id': 'pool.a.b',
};
const death = (queue: string, reason: string) => ({
  queue,
  reason,
  exchange: 'x',
  'routing-keys': ['work.a.0'],
  time: { '!': 'timestamp', value: 1_893_456_000 },
});

group('what a dead letter tells', () => {
  it('put there by a consumer', () => {
    expect(describe(got({ userId: 'operator', headers: byConsumer }), 'operator')).toMatchObject({
      reason: 'invalid: no',
      queue: 'millwright.results',
      exchange: 'millwright.results',
      routingKey: 'r',
      diedAt: '2030-01-01T00:00:00.000Z',
      userId: 'pool.a.b',
      truncated: false,
    });
  });

  it('put there by RabbitMQ', () => {
    const headers = { 'x-death': [death('millwright.results', 'delivery_limit')] };
    expect(describe(got({ userId: 'pool.a.b', headers }), 'operator')).toMatchObject({
      reason: 'delivery_limit',
      queue: 'millwright.results',
      exchange: 'x',
      routingKey: 'work.a.0',
      diedAt: '2030-01-01T00:00:00.000Z',
      userId: 'pool.a.b',
    });
  });

  it('put there by RabbitMQ, with our headers forged by its publisher: only RabbitMQ is believed', () => {
    const headers = {
      ...byConsumer,
      'x-millwright-queue': 'millwright.effects',
      'x-millwright-user-id': 'operator',
      'x-death': [death('millwright.results', 'rejected')],
    };
    const letter = describe(got({ userId: 'pool.evil.b', headers }), 'operator');
    expect(letter).toMatchObject({ reason: 'rejected', queue: 'millwright.results', userId: 'pool.evil.b' });
  });

  it('came from a retry queue whose work queue is gone', () => {
    const headers = { 'x-death': [death('millwright.retry.5s', 'expired')] };
    expect(describe(got({ headers }), 'operator')).toMatchObject({
      queue: 'work.a.0',
      exchange: 'millwright.work',
      reason: 'unroutable: work queue work.a.0 is gone',
    });
  });

  it.each([
    ['none', undefined],
    ['an x-death that is no list', { ...byConsumer, 'x-death': 'nonsense' }],
    ['an empty x-death', { 'x-death': [] }],
    ['an x-death of other things', { ...byConsumer, 'x-death': [1] }],
  ])('nothing: %s', (_, headers) => {
    expect(describe(got({ headers }), 'operator')).toMatchObject({
      reason: 'unknown',
      queue: undefined,
      exchange: 'millwright.dead',
    });
  });

  it('has the same id whenever it is looked at, and another one for other content', () => {
    const id = (content: string, count: number) =>
      describe(got({ headers: { ...byConsumer, 'x-delivery-count': count } }, content), 'operator').id;
    expect(id('{}', 0)).toBe(id('{}', 7));
    expect(id('{}', 0)).not.toBe(id('[]', 0));
  });
});
