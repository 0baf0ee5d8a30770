import { type AgentPool, API_VERSION, labels } from '@millwright/crds';
import { type NetworkPolicy, SANDBOX } from '../cluster.ts';
import type { Draft } from '../runtime/index.ts';
import { shardOf } from '../shard.ts';

/** Where sandboxes find broker, gateway and trace collector, for the rules that let them through. */
export interface Reachable {
  /** Namespace of the control plane, whose pods are reachable. */
  controlNamespace: string;
  /** Addresses outside the control plane's namespace: an external broker or collector. */
  addresses: readonly { cidr: string; ports: readonly number[] }[];
}

/** Default-deny for the sandboxes of a pool, with egress to DNS, the control plane, and what the pool itself allows. */
export function sandboxNetworkPolicy(pool: AgentPool, reachable: Reachable): Draft<NetworkPolicy> {
  const { name, namespace, uid } = pool.metadata;
  const tcp = (ports: readonly number[]) => ports.map((port) => ({ protocol: 'TCP', port }));
  return {
    metadata: {
      name: `millwright-sandbox-${name}`,
      namespace,
      labels: { [labels.component]: SANDBOX, [labels.pool]: name, ...shardOf(pool) },
      ownerReferences: [{ apiVersion: API_VERSION, kind: 'AgentPool', name, uid, controller: true }],
    },
    spec: {
      podSelector: { matchLabels: { [labels.pool]: name } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [
        {
          ports: [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
        },
        {
          to: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': reachable.controlNamespace } },
              podSelector: { matchLabels: { 'app.kubernetes.io/name': 'millwright' } },
            },
          ],
        },
        ...reachable.addresses.map(({ cidr, ports }) => ({ to: [{ ipBlock: { cidr } }], ports: tcp(ports) })),
        ...(pool.spec.sandbox?.egress ?? []).map(({ cidr, ports }) => ({
          to: [{ ipBlock: { cidr } }],
          ...(ports ? { ports: tcp(ports) } : {}),
        })),
      ],
    },
  };
}
