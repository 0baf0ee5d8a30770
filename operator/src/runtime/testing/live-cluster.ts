import { randomBytes } from 'node:crypto';
import { isNotFound } from '../errors.ts';
import { connectKube, type KubeClient } from '../kube.ts';
import { defineResource, type ResourceType } from '../resource.ts';
import { definitions, namespaces } from './resources.ts';
import type { Widget } from './widgets.ts';

/** A namespace and a kind of its own in the cluster that `MILLWRIGHT_TEST_KUBECONFIG` points at. */
export interface LiveCluster {
  kube: KubeClient;
  namespace: string;
  widgets: ResourceType<Widget>;
  /** Deletes what was made and closes the client. */
  close(): Promise<void>;
}

/** Makes a namespace and a custom resource with a status subresource, and waits until it is served. */
export async function openLiveCluster(): Promise<LiveCluster> {
  const kubeconfig = process.env.MILLWRIGHT_TEST_KUBECONFIG;
  if (kubeconfig === undefined) throw new Error('MILLWRIGHT_TEST_KUBECONFIG is not set');
  const kube = await connectKube({ kubeconfig });
  const id = randomBytes(4).toString('hex');
  const namespace = `runtime-${id}`;
  const group = `${id}.test.millwright.dev`;
  const widgets = defineResource<Widget>({ group, version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true });
  const definition = `widgets.${group}`;
  const close = async () => {
    await kube.delete(definitions, { name: definition }).catch(ignoreMissing);
    await kube.delete(namespaces, { name: namespace }).catch(ignoreMissing);
    await kube.close();
  };
  try {
    await kube.create(namespaces, { metadata: { name: namespace } });
    await kube.create(definitions, {
      metadata: { name: definition },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: { status: {} },
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    });
    await served(kube, widgets, namespace);
  } catch (error) {
    await close();
    throw error;
  }
  return { kube, namespace, widgets, close };
}

/** A new resource is answered with 404 for a moment after its definition is there. */
async function served(kube: KubeClient, widgets: ResourceType<Widget>, namespace: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await kube.list(widgets, { namespace });
      return;
    } catch (error) {
      if (!isNotFound(error) || tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
