import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { defineResource, type KubeClient, type KubeObject } from '../runtime/index.ts';
import { until } from './until.ts';

const definitions = defineResource<KubeObject & { status?: { conditions?: { type: string; status: string }[] } }>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
});

/** Makes the API server know the resources, as the chart would. */
export async function applyDefinitions(kube: KubeClient): Promise<void> {
  for (const plural of ['projects', 'agentpools', 'workflows', 'agenttasks']) {
    const file = new URL(`../../../crds/generated/millwright.dev_${plural}.yaml`, import.meta.url);
    const name = `${plural}.millwright.dev`;
    await kube.patch(definitions, { name }, parse(await readFile(file, 'utf8')), { type: 'apply' });
    await until(`the definition of ${plural}`, async () => {
      const { status } = await kube.get(definitions, { name });
      return status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True') || undefined;
    });
  }
}
