import { z } from 'zod';
import { callApiServer } from './kubernetes/client.ts';
import type { Context } from './service.ts';
import { RELEASE, SYSTEM_NAMESPACE } from './start/cluster.ts';

/** One of Millwright's own processes, as the Helm release on the local platform has it. */
export interface Component {
  /** As the label `app.kubernetes.io/component` says: `operator`, `gateway`, … */
  readonly name: string;
  readonly wanted: number;
  readonly ready: number;
  /** URL of its Service, which the host reaches as pods do; none for one without a Service of its own address. */
  readonly url?: string;
}

const COMPONENT = 'app.kubernetes.io/component';

const metadata = z.object({ labels: z.record(z.string(), z.string()).default({}) });
const workloads = z.object({
  items: z.array(
    z.object({
      metadata,
      spec: z.object({ replicas: z.number().default(1) }),
      status: z.object({ readyReplicas: z.number().default(0) }),
    }),
  ),
});
const servicesAnswer = z.object({
  items: z.array(
    z.object({
      metadata,
      spec: z.object({ clusterIP: z.string().optional(), ports: z.array(z.object({ port: z.number() })).default([]) }),
    }),
  ),
});

/** Selects the pods of a component of the release. */
export function selectorOf(component: string): string {
  return `app.kubernetes.io/instance=${RELEASE},${COMPONENT}=${component}`;
}

/**
 * Millwright's Deployments and StatefulSets on the local platform; [] while the chart is not installed.
 *
 * @throws Error when the API server does not answer
 */
export async function components(ctx: Context): Promise<Component[]> {
  const list = async (group: string, resource: string): Promise<unknown> => {
    const selector = encodeURIComponent(`app.kubernetes.io/instance=${RELEASE}`);
    const path = `/${group}/namespaces/${SYSTEM_NAMESPACE}/${resource}?labelSelector=${selector}`;
    const { status, body } = await callApiServer(ctx, 'GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${body.slice(0, 500)}`);
    return JSON.parse(body);
  };
  const [deployments, statefulSets, services] = await Promise.all([
    list('apis/apps/v1', 'deployments'),
    list('apis/apps/v1', 'statefulsets'),
    list('api/v1', 'services'),
  ]);
  const urls = new Map(
    servicesAnswer.parse(services).items.flatMap(({ metadata: { labels }, spec: { clusterIP, ports } }) => {
      const [port] = ports;
      if (!port || !clusterIP || clusterIP === 'None') return [];
      return [[labels[COMPONENT] ?? '', `http://${clusterIP}:${port.port}`] as const];
    }),
  );
  return [deployments, statefulSets]
    .flatMap((answer) => workloads.parse(answer).items)
    .map(({ metadata: { labels }, spec, status }): Component => {
      const name = labels[COMPONENT] ?? '';
      const url = urls.get(name);
      return { name, wanted: spec.replicas, ready: status.readyReplicas, ...(url ? { url } : {}) };
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}
