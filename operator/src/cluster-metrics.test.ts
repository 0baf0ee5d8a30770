import { createMetrics, type Metrics, silentLogger } from '@millwright/otel';
import { beforeEach, expect, test } from 'vitest';
import { type Cluster, type Job, type Pod, watchCluster } from './cluster.ts';
import { exportCluster } from './cluster-metrics.ts';
import { WorkQueues } from './dispatch/work-queues.ts';
import { type KubeClient, noMetrics } from './runtime/index.ts';
import { aPool, aTask, aWorkflow, runningOn } from './testing/objects.ts';

let metrics: Metrics;
let cluster: Cluster;
let workQueues: WorkQueues;
beforeEach(() => {
  metrics = createMetrics('operator');
  cluster = watchCluster({ kube: {} as KubeClient, logger: silentLogger, metrics: noMetrics });
  workQueues = new WorkQueues(
    () => undefined,
    () => 0,
  );
  exportCluster(metrics, cluster, { unclaimed: () => workQueues.unclaimed() });
});

/** Samples of a metric as they are scraped, without the label that all have. */
const scrape = async (name: string) =>
  (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .map((line) => line.slice(name.length).replace(/,process="operator"|process="operator",/, ''));

test('objects by phase: what has none yet is pending, and an empty phase is a zero', async () => {
  cluster.workflows.store.upsert(aWorkflow(), 'list');
  cluster.tasks.store.upsert(aTask({}, runningOn('a')), 'list');
  cluster.tasks.store.upsert(aTask({}, undefined, { name: 'other', uid: 'o' }), 'list');
  expect(await scrape('millwright_workflows')).toContain('{phase="Pending"} 1');
  expect(await scrape('millwright_workflows')).toContain('{phase="Running"} 0');
  expect((await scrape('millwright_tasks')).filter((line) => !line.endsWith(' 0'))).toEqual([
    '{phase="Pending"} 1',
    '{phase="Running"} 1',
  ]);
});

test('work that waits for its claim, by namespace and capabilities', async () => {
  const work = {
    queue: 'q',
    pool: 'pool',
    image: 'i',
    kind: 'run',
  } as const;
  workQueues.published('team/a', { ...work, namespace: 'team', capabilities: ['go', 'node'] });
  workQueues.published('team/b', { ...work, namespace: 'team', capabilities: ['go', 'node'], image: 'other' });
  workQueues.published('more/c', { ...work, namespace: 'more', capabilities: ['go'] });
  expect(await scrape('millwright_queue_messages')).toEqual([
    '{namespace="team",capabilities="go,node"} 2',
    '{namespace="more",capabilities="go"} 1',
  ]);
  for (const task of ['team/a', 'team/b']) workQueues.settled(task);
  expect(await scrape('millwright_queue_messages')).toEqual(['{namespace="more",capabilities="go"} 1']);
});

test('sandboxes as the status of their pool has them', async () => {
  cluster.pools.store.upsert({ ...aPool(), status: { idle: 1, busy: 2 } }, 'list');
  expect(await scrape('millwright_sandboxes')).toEqual([
    '{namespace="team",pool="pool",state="idle"} 1',
    '{namespace="team",pool="pool",state="busy"} 2',
    '{namespace="team",pool="pool",state="starting"} 0',
  ]);
});

test('how long a sandbox takes from its Job to its readiness, once', async () => {
  const created = (ago: number) => new Date(Date.now() - ago).toISOString();
  const meta = { namespace: 'team', labels: { 'millwright.dev/pool': 'go', 'batch.kubernetes.io/job-name': 'go-1' } };
  const pod = (version: number, ready: boolean, uid = 'p'): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...meta, name: uid, uid, resourceVersion: String(version), creationTimestamp: created(5_000) },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  });
  const job: Job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...meta, name: 'go-1', uid: 'j', resourceVersion: '1', creationTimestamp: created(20_000) },
    spec: {},
  };
  cluster.jobs.store.upsert(job, 'watch');
  for (const [version, ready] of [false, true, false, true].entries())
    cluster.pods.store.upsert(pod(version + 1, ready), 'watch');
  // It was ready before this process looked.
  cluster.pods.store.upsert(pod(9, true, 'known'), 'list');
  expect(await scrape('millwright_sandbox_start_seconds_count')).toEqual(['{namespace="team",pool="go"} 1']);
  const [sum = ''] = await scrape('millwright_sandbox_start_seconds_sum');
  expect(Number(sum.split(' ')[1])).toBeCloseTo(20, 0);
});
