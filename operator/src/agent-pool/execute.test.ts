import { type AgentPool, type AgentPoolStatus, agentPoolStatus } from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { expect, test } from 'vitest';
import { watchCluster } from '../cluster.ts';
import type { Note } from '../note.ts';
import { type KubeClient, KubeError, noMetrics } from '../runtime/index.ts';
import { aPool, NOW, SANDBOX_SETTINGS } from '../testing/objects.ts';
import { type ExecutePoolOptions, executePool } from './execute.ts';
import type { PoolAction } from './plan.ts';

const refused = (status: number, detail: string) =>
  Promise.reject(new KubeError({ status, reason: 'R', detail }, { method: 'POST', path: '/' }));

/** Runs an action that fails, and what is written before the error goes on. */
async function failed(action: PoolAction, how: Partial<ExecutePoolOptions>, pool: AgentPool = aPool()) {
  const written: { status: AgentPoolStatus; note: Note | undefined }[] = [];
  const planned: PoolAction = { do: 'status', status: { sequence: 7, idle: 7 } };
  const done = executePool(pool, [action, planned], {
    kube: {} as KubeClient,
    cluster: watchCluster({ kube: {} as KubeClient, logger: silentLogger, metrics: noMetrics }),
    settings: SANDBOX_SETTINGS,
    writeStatus: async (object, status, { note }) => {
      written.push({ status: agentPoolStatus.parse(status), note });
      return { state: 'written', object: { ...object, status } };
    },
    tell: () => {},
    prepare: async () => {},
    draining: new Set(),
    now: () => NOW,
    ...how,
  });
  const error = await done.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, written };
}

const start: PoolAction = { do: 'startSandbox', ordinal: 1, image: 'i' };
const quota = 'jobs.batch "pool-1" is forbidden: exceeded quota';

test.each<[string, PoolAction, Partial<ExecutePoolOptions>, string, string]>([
  ['a quota', start, { kube: { create: () => refused(403, quota) } as never }, 'SandboxRefused', quota],
  [
    'a webhook that is down',
    start,
    { kube: { create: () => refused(500, 'no webhook') } as never },
    'SandboxRefused',
    'no webhook',
  ],
  [
    'a Job that cannot be deleted',
    { do: 'drain', job: 'pool-1' },
    { kube: { delete: () => refused(403, 'no right') } as never },
    'SandboxRefused',
    'no right',
  ],
  [
    'a broker whose management does not answer',
    { do: 'prepare' },
    { prepare: () => Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })) },
    'NotPrepared',
    'fetch failed: connect ECONNREFUSED',
  ],
])('%s is told in their words before the next try', async (_, action, how, reason, words) => {
  const { error, written } = await failed(action, how);
  expect(error).toBeInstanceOf(Error);
  expect(written).toHaveLength(1);
  const [{ status, note } = { status: {}, note: undefined }] = written;
  expect(status.conditions).toMatchObject([{ type: 'Ready', status: 'False', reason }]);
  expect(status.message).toContain(words);
  expect(note).toMatchObject({ type: 'Warning', reason });
  // What was planned has not come true.
  expect(status.sequence).toBeUndefined();
  const again = await failed(action, how, { ...aPool(), status });
  expect(again.written).toEqual([{ status, note: undefined }]);
});

test.each([
  ['an API server that does not answer', 0],
  ['one that has too much to do', 429],
])('%s is nobody’s to mend', async (_, status) => {
  const { error, written } = await failed(start, { kube: { create: () => refused(status, '') } as never });
  expect(error).toBeInstanceOf(KubeError);
  expect(written).toEqual([]);
});

test('a report that cannot be written does not hide what went wrong', async () => {
  const { error } = await failed(start, {
    kube: { create: () => refused(403, quota) } as never,
    writeStatus: () => refused(500, 'down'),
  });
  expect(String(error)).toContain(quota);
});
