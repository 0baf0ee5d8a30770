import type { KubeClient } from '@millwright/operator/runtime';
import type { Cleanup } from './cleanup.ts';
import { poll } from './poll.ts';
import { type Deployment, resources } from './resources.ts';

const OPERATORS = 'app.kubernetes.io/name=millwright,app.kubernetes.io/component=operator';

/**
 * Scales installed operators down until the clean-up: one that watches all namespaces would work on those of the benchmarks too, with another
 * broker. Returns their names.
 */
export async function pauseInstalledOperators(kube: KubeClient, cleanup: Cleanup): Promise<string[]> {
  const { items } = await kube.list(resources.deployments, { labelSelector: OPERATORS });
  const wide = items.filter((deployment) => (deployment.spec.replicas ?? 1) > 0 && watchesEverything(deployment));
  for (const deployment of wide) {
    const { name, namespace } = deployment.metadata;
    const scale = (replicas: number) =>
      kube.patch(resources.deployments, { name, namespace }, { spec: { replicas } }, { subresource: 'scale' });
    cleanup.add(async () => {
      await scale(deployment.spec.replicas ?? 1);
    });
    await scale(0);
    const labelSelector = Object.entries(deployment.spec.selector.matchLabels).map(([key, value]) => `${key}=${value}`);
    // The Deployment does not count pods that are ending, and theirs is still a leader.
    await poll(60_000, 200, `${namespace}/${name} did not stop`, async () => {
      const pods = await kube.list(resources.pods, { namespace, labelSelector: labelSelector.join(',') });
      return pods.items.length === 0;
    });
  }
  return wide.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

const watchesEverything = ({ spec }: Deployment): boolean =>
  spec.template.spec.containers.every(
    ({ env }) => !env?.some(({ name, value }) => name === 'MILLWRIGHT_WATCH_NAMESPACE' && value !== ''),
  );
