import { management, poolUser } from '@millwright/broker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type NetworkPolicy, resources } from '../cluster.ts';
import { isNotFound } from '../runtime/index.ts';
import { closeConnections } from '../testing/connections.ts';
import { type Lab, openLab } from '../testing/lab.ts';
import { until } from '../testing/until.ts';

const TEST_MS = 120_000;
let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
  await lab.startOperator();
}, TEST_MS);
afterAll(() => lab?.close(), TEST_MS);

const policyOf = (pool: string) => ({ namespace: lab.namespace, name: `millwright-sandbox-${pool}` });
/** The policy once it is there, and is as it is asked for. */
const policy = (pool: string, is: (policy: NetworkPolicy) => boolean = () => true) =>
  until(`the policy of ${pool}`, () =>
    lab.kube.get(resources.policies, policyOf(pool)).then(
      (found) => (is(found) ? found : undefined),
      (error: unknown) => {
        if (!isNotFound(error)) throw error;
        return undefined;
      },
    ),
  );

test('a NetworkPolicy that somebody deletes or opens is put right', { timeout: TEST_MS }, async () => {
  await lab.createPool('kept');
  const { metadata, spec } = await policy('kept');
  await lab.kube.delete(resources.policies, policyOf('kept'));
  const again = await policy('kept', (found) => found.metadata.uid !== metadata.uid);
  expect(again.spec).toEqual(spec);
  const opened = await lab.kube.patch(resources.policies, policyOf('kept'), {
    metadata: { labels: null },
    spec: { egress: [{}], podSelector: { matchLabels: { not: 'this' } } },
  });
  const closed = await policy('kept', (found) => found.metadata.resourceVersion !== opened.metadata.resourceVersion);
  expect(closed.spec).toEqual(spec);
});

test('a pool that is deleted and applied again owns what was made for the first', { timeout: TEST_MS }, async () => {
  const first = await lab.createPool('reborn');
  await policy('reborn');
  await lab.kube.delete(resources.pools, { namespace: lab.namespace, name: 'reborn' });
  const second = await lab.createPool('reborn');
  expect(second.metadata.uid).not.toBe(first.metadata.uid);
  const { metadata } = await policy(
    'reborn',
    (found) => found.metadata.ownerReferences?.[0]?.uid === second.metadata.uid,
  );
  expect(metadata.ownerReferences).toHaveLength(1);
});

test('a user that the broker has lost is back when the broker is', { timeout: TEST_MS }, async () => {
  await lab.createPool('user');
  const admin = management(lab.managementUrl, lab.vhost);
  const user = poolUser(lab.namespace, 'user');
  const isThere = async () => (await admin.listUsers()).includes(user) || undefined;
  await until('the user', isThere);
  await admin.deleteUser(user);
  await closeConnections(lab);
  await until('the user to be back', isThere);
});
