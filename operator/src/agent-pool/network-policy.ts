import { type AgentPool, API_VERSION, labels } from '@millwright/crds';
import { type NetworkPolicy, SANDBOX } from '../cluster.ts';
import type { Draft } from '../runtime/index.ts';
import { shardOf } from '../shard.ts';

/** Whom a rule of a NetworkPolicy lets through, as in its `to`. */
export type Peer = Readonly<Record<string, unknown>>;

/** Where sandboxes find broker, gateway, names and trace collector, for the rules that let them through. */
export interface Reachable {
  /** Namespace of the control plane. */
  controlNamespace: string;
  /** Port of a broker whose pods are there. */
  brokerPort: number;
  /** Who answers DNS questions, and on which ports of its pods. */
  dns: { to: readonly Peer[]; ports: readonly number[] };
  /** Addresses outside the control plane's namespace: an external broker or collector. */
  addresses: readonly { cidr: string; ports: readonly number[] }[];
}

/** Port of the gateway's container in the chart: a policy is about pods, whatever the port of the Service before them. */
const GATEWAY_PORT = 8080;

/** Default-deny for the sandboxes of a pool, with egress to DNS, gateway and broker, and what the pool itself allows. */
export function sandboxNetworkPolicy(pool: AgentPool, reachable: Reachable): Draft<NetworkPolicy> {
  const { name, namespace, uid } = pool.metadata;
  const { controlNamespace, brokerPort, dns, addresses } = reachable;
  const over = (protocol: 'TCP' | 'UDP', ports: readonly number[]) => ports.map((port) => ({ protocol, port }));
  const tcp = (ports: readonly number[]) => over('TCP', ports);
  const component = (component: string) => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': controlNamespace } },
    podSelector: { matchLabels: { 'app.kubernetes.io/name': 'millwright', 'app.kubernetes.io/component': component } },
  });
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
        { to: dns.to, ports: [...over('UDP', dns.ports), ...tcp(dns.ports)] },
        { to: [component('gateway')], ports: tcp([GATEWAY_PORT]) },
        { to: [component('rabbitmq')], ports: tcp([brokerPort]) },
        ...addresses.map(({ cidr, ports }) => ({ to: [{ ipBlock: { cidr } }], ports: tcp(ports) })),
        ...(pool.spec.sandbox?.egress ?? []).map(({ cidr, ports }) => ({
          to: [{ ipBlock: { cidr } }],
          ...(ports ? { ports: tcp(ports) } : {}),
        })),
      ],
    },
  };
}
