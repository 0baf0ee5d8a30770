import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { KubeClient } from '../runtime/index.ts';
import { definitions } from '../runtime/testing/resources.ts';
import { until } from './until.ts';

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
