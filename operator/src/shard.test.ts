import { silentLogger } from '@millwright/otel';
import { describe, expect, test } from 'vitest';
import { sandboxJob } from './agent-pool/job.ts';
import { watchCluster } from './cluster.ts';
import { type KubeClient, noMetrics } from './runtime/index.ts';
import { shardOf, shardSelector } from './shard.ts';
import { aPool, aProject, aWorkflow, NOW, SANDBOX_SETTINGS } from './testing/objects.ts';
import { compileDag } from './workflow/dag.ts';
import { planWorkflow } from './workflow/plan.ts';

const labelled = { labels: { 'millwright.dev/shard': 's' } };

test('an operator looks at its own shard only', () => {
  expect(shardSelector('s')).toBe('millwright.dev/shard=s');
  expect(shardSelector(undefined)).toBe('!millwright.dev/shard');
});

test.each([
  ['s', true, false],
  [undefined, false, true],
])('what a live read or a write brings of another shard than %s is not kept', (shard, own, unlabelled) => {
  const { pools } = watchCluster({
    kube: {} as KubeClient,
    ...(shard === undefined ? {} : { shard }),
    logger: silentLogger,
    metrics: noMetrics,
  });
  pools.store.applyWrite(aPool('labelled', {}, labelled));
  pools.store.applyWrite(aPool('unlabelled'));
  expect([pools.store.has('team/labelled'), pools.store.has('team/unlabelled')]).toEqual([own, unlabelled]);
});

describe('what is created belongs to the same shard', () => {
  test.each([
    ['labelled', labelled, 's'],
    ['not labelled', {}, undefined],
  ])('%s', (_, meta, shard) => {
    const workflow = aWorkflow({}, meta);
    expect(shardOf(workflow)['millwright.dev/shard']).toBe(shard);
    const plan = planWorkflow(
      { workflow, dag: compileDag(workflow.spec), children: new Map(), project: aProject() },
      NOW,
    );
    const created = plan.actions.find((action) => action.do === 'create');
    expect(created?.tasks[0]?.metadata.labels?.['millwright.dev/shard']).toBe(shard);
    const job = sandboxJob({ pool: aPool('pool', {}, meta), image: 'i', resources: {} }, 1, SANDBOX_SETTINGS);
    expect(job.metadata.labels?.['millwright.dev/shard']).toBe(shard);
    expect(job.spec.template).toMatchObject({ metadata: { labels: job.metadata.labels } });
  });
});
