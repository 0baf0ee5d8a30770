import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exchanges,
  messageIds,
  queues,
  retryTier,
  topology,
  type WorkKey,
  workQueue,
  workQueueName,
} from './topology.ts';

const key: WorkKey = { engine: 'runner', image: 'node:24', capabilities: ['node', 'lint'] };

describe('workQueueName', () => {
  it('is readable and bounded', () => {
    expect(workQueueName('team-a', key)).toMatch(/^work\.team-a\.[0-9a-f]{16}$/);
  });

  it('does not change between releases, since queues outlive them', () => {
    expect(workQueueName('default', key)).toBe('work.default.abd4529beeaa7cc1');
  });

  it('depends on the set of capabilities, not on their order or repetition', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 1 }), fc.nat(), (capabilities, turn) => {
        const at = turn % capabilities.length;
        const turned = [...capabilities.slice(at), ...capabilities.slice(0, at), capabilities[0] ?? ''];
        const name = workQueueName('n', { ...key, capabilities });
        expect(workQueueName('n', { ...key, capabilities: turned })).toBe(name);
        expect(workQueueName('n', { ...key, capabilities: [...capabilities, 'one more than any'] })).not.toBe(name);
      }),
    );
  });

  it.each<[string, string, Partial<WorkKey>]>([
    ['namespace', 'other', {}],
    ['engine', 'default', { engine: 'llm' }],
    ['image', 'default', { image: 'node:22' }],
    ['a boundary between capabilities', 'default', { capabilities: ['node,lint'] }],
  ])('differs by %s', (_, namespace, change) => {
    expect(workQueueName(namespace, { ...key, ...change })).not.toBe(workQueueName('default', key));
  });
});

it('chooses the shortest tier that waits long enough, or the longest', () => {
  expect([1, 5_000, 5_001, 60_000, 3_600_000].map(retryTier)).toEqual(['5s', '5s', '60s', '60s', '60s']);
});

it('builds message ids by which a second copy is recognised', () => {
  expect(messageIds.work('u', 2, 'run')).toBe('u:2');
  expect(messageIds.work('u', 2, 'verify')).toBe('u:2:verify');
  expect(messageIds.effect('u', 2, 'branch')).toBe('u:2:branch');
});

describe('queues', () => {
  const all = [...queues, workQueue('work.n.0')];

  it.each(all.map((queue) => [queue.name, queue] as const))(
    '%s is a bound quorum queue with an explicit delivery limit',
    (_, queue) => {
      expect(queue.arguments).toMatchObject({ 'x-queue-type': 'quorum', 'x-delivery-limit': expect.any(Number) });
      const declared = exchanges.map((exchange) => exchange.name);
      for (const binding of queue.bindings) expect(declared).toContain(binding.exchange);
      expect(queue.bindings.length).toBeGreaterThan(0);
    },
  );

  // Dead letters are at their end, and a question that nobody waits for any more is worth nothing.
  const kept = all.filter(({ name }) => name !== topology.dead && name !== topology.probes);
  it.each(kept.map((queue) => [queue.name, queue.arguments] as const))(
    '%s loses nothing when it dead-letters',
    (_, args) => {
      expect(args).toMatchObject({ 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' });
      expect(exchanges.map((exchange) => exchange.name)).toContain(args['x-dead-letter-exchange']);
    },
  );
});
