import { labels } from '@millwright/crds';
import { expect, test } from 'vitest';
import type { NetworkPolicy } from '../cluster.ts';
import { KubeError } from '../runtime/index.ts';
import { aPool, NOW } from '../testing/objects.ts';
import { LOOK_AGAIN_MS, Preparations } from './preparations.ts';
import { type PrepareOptions, preparePool } from './prepare.ts';

interface Change {
  op: string;
  path: string;
  value: unknown;
}

/** What the API server is asked when a pool is prepared, and the policy that the cache then has. */
async function asked(exists: boolean, pool = aPool('go')) {
  const patches: Record<string, Record<string, unknown>> = {};
  const created: { kind: string; metadata: object }[] = [];
  const cached: NetworkPolicy[] = [];
  const kube = {
    patch: async (resource: { kind: string }, _: object, changes: Change[], how: object) => {
      expect(how).toEqual({ type: 'json' });
      if (!exists) throw new KubeError({ status: 404, reason: 'NotFound', detail: '' }, { method: 'PATCH', path: '/' });
      patches[resource.kind] = Object.fromEntries(changes.map(({ op, path, value }) => [`${op} ${path}`, value]));
      return { kind: resource.kind };
    },
    create: async (resource: { kind: string }, draft: { metadata: object }) => {
      created.push({ ...draft, kind: resource.kind });
      return { kind: resource.kind };
    },
  };
  await preparePool(pool, {
    kube: kube as unknown as PrepareOptions['kube'],
    cluster: { policies: { store: { applyWrite: (policy: NetworkPolicy) => cached.push(policy) } } } as never,
    management: { ensureUser: async () => {} },
    sandboxAmqpUrl: 'amqp://broker/v',
    signingKey: 'key',
    reachable: { controlNamespace: 'control', brokerPort: 5672, dns: { to: [], ports: [53] }, addresses: [] },
  });
  return { patches, created, cached };
}

test('what was made for an earlier pool of the name gets the new owner, or it would go with the old', async () => {
  const { patches, created, cached } = await asked(true, aPool('go', {}, { uid: 'second' }));
  const owner = [expect.objectContaining({ kind: 'AgentPool', name: 'go', uid: 'second' })];
  expect(patches.Secret).toMatchObject({
    'add /metadata/ownerReferences': owner,
    'add /data': { url: expect.any(String) },
  });
  expect(patches.NetworkPolicy).toMatchObject({
    'add /metadata/ownerReferences': owner,
    'add /metadata/labels': { [labels.component]: 'sandbox', [labels.pool]: 'go' },
    'add /spec': { podSelector: { matchLabels: { [labels.pool]: 'go' } } },
  });
  expect(created).toEqual([]);
  expect(cached).toHaveLength(1);
});

test('what is not there is created', async () => {
  const { created } = await asked(false);
  expect(created.map(({ kind }) => kind)).toEqual(['Secret', 'NetworkPolicy']);
});

test('a pool is looked at again after a while, after a doubt, and when it is another one', async () => {
  const preparations = new Preparations();
  const pool = aPool('go');
  const state = (of = pool, at = NOW) => preparations.state(of, at);
  expect(state()).toBe('missing');
  await preparations.make(pool, NOW, async () => {});
  expect(state()).toBe('done');
  expect(state(pool, NOW + LOOK_AGAIN_MS)).toBe('due');
  expect(state(aPool('go', {}, { uid: 'second' }))).toBe('missing');
  expect(state(aPool('go', {}, { generation: 2 }))).toBe('missing');
  preparations.forget('team/go');
  expect(state()).toBe('missing');
});

test('a look that fails is due at once, and a doubt that comes during one stays', async () => {
  const preparations = new Preparations();
  const pool = aPool('go');
  const down = () => Promise.reject(new Error('down'));
  await expect(preparations.make(pool, NOW, down)).rejects.toThrow('down');
  expect(preparations.state(pool, NOW)).toBe('missing');
  await preparations.make(pool, NOW, async () => {});
  const later = NOW + LOOK_AGAIN_MS;
  await expect(preparations.make(pool, later, down)).rejects.toThrow('down');
  expect(preparations.state(pool, later)).toBe('due');
  await preparations.make(pool, later, async () => preparations.forget('team/go'));
  expect(preparations.state(pool, later)).toBe('missing');
});
