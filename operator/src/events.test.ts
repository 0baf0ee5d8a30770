import { labels } from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { expect, test } from 'vitest';
import { type Cluster, type NetworkPolicy, type Pod, watchCluster } from './cluster.ts';
import { connectEvents } from './events.ts';
import { type KubeClient, noMetrics } from './runtime/index.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { aProject, aTask, at } from './testing/objects.ts';

/** What is said of pods and policies while something is done to the caches. */
function heard(act: (cluster: Cluster) => void): string[] {
  const said: string[] = [];
  const cluster = watchCluster({ kube: {} as KubeClient, logger: silentLogger, metrics: noMetrics });
  connectEvents({
    cluster,
    scheduler: new Scheduler({
      limits: { project: () => undefined, workflow: () => undefined, pool: () => 0 },
      changed: () => {},
    }),
    enqueue: (kind, key) => void said.push(`look at ${kind} ${key}`),
    record: () => {},
    poolChanged: () => {},
    workflowGone: () => {},
    podGone: ({ metadata }) => void said.push(`pod ${metadata.name} gone`),
    policyTouched: (pool) => void said.push(`policy of ${pool} touched`),
  });
  act(cluster);
  return said;
}

const object = <T>(kind: string, resourceVersion: string): T =>
  ({
    kind,
    metadata: { name: 'x', namespace: 'team', uid: 'u', resourceVersion, labels: { [labels.pool]: 'go' } },
  }) as T;

test('a pod that is gone is told, one that changes is not', () => {
  const said = heard(({ pods }) => {
    pods.store.upsert(object<Pod>('Pod', '1'), 'watch');
    pods.store.upsert(object<Pod>('Pod', '2'), 'watch');
    pods.store.remove('team/x', '3', 'watch');
  });
  expect(said.filter((line) => line.startsWith('pod'))).toEqual(['pod x gone']);
});

test('a policy that others touch is looked at again, our own writes are not', () => {
  const policy = (version: string) => object<NetworkPolicy>('NetworkPolicy', version);
  expect(heard(({ policies }) => policies.store.applyWrite(policy('1')))).toEqual([]);
  const touched = ['policy of team/go touched', 'look at pool team/go'];
  expect(heard(({ policies }) => void policies.store.upsert(policy('1'), 'watch'))).toEqual(touched);
  expect(
    heard(({ policies }) => {
      policies.store.applyWrite(policy('1'));
      policies.store.remove('team/x', '2', 'watch');
    }),
  ).toEqual(touched);
});

test('tasks are looked at when what somebody has to correct about their repository changes', () => {
  const found = (resourceVersion: string, reason: string, message: string) => ({
    ...aProject({}, { resourceVersion }),
    status: {
      activeWorkflows: Number(resourceVersion),
      conditions: [
        {
          type: 'RepositoryReachable',
          status: reason === 'Reachable' ? ('True' as const) : ('False' as const),
          reason,
          message,
          observedGeneration: 1,
          lastTransitionTime: at(0),
        },
      ],
    },
  });
  const looks = (...verdicts: [reason: string, message: string][]) => {
    const said = heard(({ projects, tasks }) => {
      tasks.store.upsert(aTask(), 'watch');
      verdicts.forEach(([reason, message], n) => {
        projects.store.upsert(found(String(n + 1), reason, message), 'watch');
      });
    });
    // One for the task, one for the Project that is new.
    return said.filter((line) => line === 'look at task team/task').length - 2;
  };
  expect(looks(['Reachable', ''], ['Reachable', ''])).toBe(0);
  expect(looks(['Reachable', ''], ['RepositoryNotFound', 'no a'], ['RepositoryNotFound', 'no b'])).toBe(2);
  expect(looks(['RepositoryNotFound', 'no a'], ['Reachable', ''])).toBe(1);
  expect(looks(['RepositoryUnavailable', 'after 21 ms'], ['RepositoryUnavailable', 'after 23 ms'])).toBe(0);
});
