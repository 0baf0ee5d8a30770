import { expect, test } from 'vitest';
import { KubeError } from '../runtime/index.ts';
import { retirePool } from './retire.ts';
import { type SweepOptions, sweepPoolUsers } from './sweep.ts';

/** Pools to look at, with these users at the broker and a pool `team/kept` in the cache. */
async function swept(users: string[], watchNamespace?: string): Promise<string[]> {
  const keys: string[] = [];
  await sweepPoolUsers({
    management: { listUsers: async () => users },
    cluster: { pools: { store: { get: (key: string) => (key === 'team/kept' ? {} : undefined) } } },
    enqueue: (kind: string, key: string) => keys.push(`${kind} ${key}`),
    ...(watchNamespace === undefined ? {} : { watchNamespace }),
  } as unknown as SweepOptions);
  return keys;
}

test.each<[string, string[], string | undefined, string[]]>([
  ['a pool that is gone', ['pool.team.gone'], undefined, ['pool team/gone']],
  ['a pool with dots in its name', ['pool.team.node.small'], undefined, ['pool team/node.small']],
  ['a pool that is there', ['pool.team.kept'], undefined, []],
  ['users that are no pool’s', ['operator', 'pool.', 'pool.x', 'swimming.pool.a'], undefined, []],
  ['a namespace that is not watched', ['pool.team.gone', 'pool.other.gone'], 'other', ['pool other/gone']],
])('%s', async (_, users, watchNamespace, expected) => {
  expect(await swept(users, watchNamespace)).toEqual(expected);
});

/** Users that are deleted, and pools whose agents are told to end, when `team/gone` is retired, with these pods and this answer of the API server. */
async function retired(pods: string[], get: () => Promise<object>): Promise<string[]> {
  const deleted: string[] = [];
  await retirePool('team/gone', {
    kube: { get: get as never },
    cluster: { pods: { store: { keysBy: () => pods } } } as never,
    management: { deleteUser: async (name) => void deleted.push(name) },
    drain: async (namespace, pool) => void deleted.push(`drain ${namespace}/${pool}`),
  });
  return deleted;
}
const refused = (status: number, reason: string) => () =>
  Promise.reject(new KubeError({ status, reason, detail: '' }, { method: 'GET', path: '/' }));

test('a user goes with its pool', async () => {
  expect(await retired([], refused(404, 'NotFound'))).toEqual(['pool.team.gone']);
});
test('a user stays while a sandbox could still report, which is told to end', async () => {
  expect(await retired(['team/a-pod'], refused(404, 'NotFound'))).toEqual(['drain team/gone']);
});
test('a user stays while the pool is there, though not for this operator', async () => {
  expect(await retired([], async () => ({}))).toEqual([]);
});
test('a user stays while nobody can tell', async () => {
  await expect(retired([], refused(403, 'Forbidden'))).rejects.toThrow(KubeError);
});
