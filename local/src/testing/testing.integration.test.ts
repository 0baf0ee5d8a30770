import { expect, it } from 'vitest';
import { run } from '../process/run.ts';
import { serviceUrl, testDatabase, testNamespace } from './index.ts';

it('makes a namespace and removes it', async () => {
  const kubeconfig = serviceUrl('MILLWRIGHT_TEST_KUBECONFIG');
  const namespace = await testNamespace(kubeconfig, { 'pod-security.kubernetes.io/enforce': 'restricted' });
  const get = () =>
    run('kubectl', [
      '--kubeconfig',
      kubeconfig,
      'get',
      'namespace',
      namespace.name,
      '--ignore-not-found',
      '--output=json',
    ]);
  expect(JSON.parse(await get())).toMatchObject({
    metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  await namespace.dispose();
  expect(await get()).toMatch(/^$|"deletionTimestamp"/);
  await namespace.dispose();
});

it('makes a database with a PostgREST before it and removes both', async () => {
  const database = await testDatabase();
  expect((await database.client.from('workflows').select('uid')).data).toEqual([]);
  const answers = () => fetch(`${database.url}/rest/v1/`).then(({ status }) => status);
  expect(await answers()).toBe(200);
  await database.stopPostgrest();
  expect(await answers()).toBe(503);
  await database.dispose();
  await expect(answers()).rejects.toThrow();
  const again = await testDatabase();
  try {
    const name = new URL(database.postgresUrl).pathname.slice(1);
    expect(await again.sql('select from pg_database where datname = $1', [name])).toEqual([]);
    expect(await again.sql('select from pg_roles where rolname = $1', [name])).toEqual([]);
  } finally {
    await again.dispose();
  }
});
