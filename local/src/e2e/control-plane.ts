import { connect, type DeadLetter, listDeadLetters } from '@millwright/broker';
import { apiServer } from '../kubernetes/client.ts';
import type { Context } from '../service.ts';
import { rabbitmqEndpoints } from '../services/rabbitmq.ts';
import { SYSTEM_NAMESPACE } from '../start/cluster.ts';
import type { Pod } from './team.ts';

/** Names of the control plane's pods of one component, such as `operator` or `git`. */
export async function podsOf(ctx: Context, component: string): Promise<string[]> {
  const selector = encodeURIComponent(`app.kubernetes.io/instance=millwright,app.kubernetes.io/component=${component}`);
  const path = `/api/v1/namespaces/${SYSTEM_NAMESPACE}/pods?labelSelector=${selector}`;
  const { items } = (await apiServer(ctx, 'GET', path)) as { items: Pod[] };
  return items.map(({ metadata }) => metadata.name);
}

/** The pod of the operator that leads now. */
export async function leader(ctx: Context): Promise<string> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${SYSTEM_NAMESPACE}/leases/millwright-operator`;
  const { spec } = (await apiServer(ctx, 'GET', path)) as { spec: { holderIdentity: string } };
  const pod = (await podsOf(ctx, 'operator')).find((name) => spec.holderIdentity.startsWith(name));
  if (!pod) throw new Error(`no pod of the operator is ${spec.holderIdentity}, which holds the lease`);
  return pod;
}

/** What is in `millwright.dead` and speaks of a namespace. */
export async function deadLetters(ctx: Context, namespace: string): Promise<DeadLetter[]> {
  const broker = await connect({ url: rabbitmqEndpoints(ctx).amqpUrl, name: 'e2e', topology: 'assume' });
  try {
    const letters = await listDeadLetters(broker, { limit: 10_000 });
    return letters.filter(({ content }) => content.includes(`"${namespace}"`));
  } finally {
    await broker.close();
  }
}
