import { describe, expect, it } from 'vitest';
import { parsePoolUser, poolPermissions, poolTopicPermissions, poolUser } from './management.ts';

describe('poolPermissions', () => {
  const permissions = poolPermissions('team-a');
  it.each<[keyof typeof permissions, string, boolean]>([
    ['read', 'work.team-a.0123456789abcdef', true],
    ['read', 'work.team-ab.0123456789abcdef', false],
    ['read', 'work.team-a', false],
    ['read', 'xwork.team-a.0', false],
    ['read', 'millwright.agents', true],
    ['read', 'millwright.revocations', false],
    ['read', 'millwright.results', false],
    ['read', 'millwright.events', false],
    ['read', 'millwright.dead', false],
    ['read', 'live.pool.team-a.p.1', true],
    ['read', 'live.pool.team-b.p.1', false],
    ['write', 'millwright.results', true],
    ['write', 'millwright.events', true],
    ['write', 'millwright.retry.5s', true],
    ['write', 'millwright.effects', false],
    ['write', 'millwright.answers', false],
    ['read', 'millwright.answers', false],
    ['write', 'millwright.probes', false],
    ['read', 'millwright.probes', false],
    ['write', 'millwright.work', false],
    ['write', 'millwright.agents', false],
    ['write', 'millwright.revocations', false],
    ['write', 'millwright.dead', false],
    ['write', 'amq.default', false],
    ['write', 'millwrightxresults', false],
    ['configure', 'live.pool.team-a.p.1', true],
    ['configure', 'work.team-a.0', false],
    ['configure', 'millwright.results', false],
  ])('%s %s: %s', (right, name, allowed) => {
    expect(new RegExp(permissions[right]).test(name)).toBe(allowed);
  });
});

describe('poolTopicPermissions', () => {
  it.each([
    ['millwright.events', 'log.team-a', true],
    ['millwright.events', 'log.team-b', false],
    ['millwright.events', 'snapshot.team-a', false],
    ['millwright.retry.5s', 'millwright.effects', false],
    ['millwright.retry.5s', 'work.team-a.0', true],
    ['millwright.retry.60s', 'work.team-b.0', false],
  ])('%s with %s: %s', (exchange, key, allowed) => {
    const permission = poolTopicPermissions('team-a').find((topic) => topic.exchange === exchange);
    expect(new RegExp(permission?.write ?? '^$').test(key)).toBe(allowed);
  });
  it.each([
    ['millwright.agents', 'team-a', true],
    ['millwright.agents', 'team-ab', false],
    ['millwright.agents', 'team-b', false],
    ['millwright.agents', '#', false],
    ['millwright.agents', '*', false],
    ['millwright.events', 'log.team-a', false],
  ])('listening to %s with %s: %s', (exchange, key, allowed) => {
    const permission = poolTopicPermissions('team-a').find((topic) => topic.exchange === exchange);
    expect(new RegExp(permission?.read ?? '^$').test(key)).toBe(allowed);
  });
});

it('splits the user of a pool again', () => {
  expect(parsePoolUser(poolUser('team-a', 'node.small'))).toEqual({ namespace: 'team-a', pool: 'node.small' });
  for (const user of [undefined, '', 'operator', 'pool.', 'pool.a', 'pool..b'])
    expect(parsePoolUser(user)).toBeUndefined();
});
