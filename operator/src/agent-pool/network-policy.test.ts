import { expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { aPool } from '../testing/objects.ts';
import { sandboxNetworkPolicy } from './network-policy.ts';

const environment = {
  MILLWRIGHT_AMQP_URL: 'amqp://user:password@rabbitmq:5672/team',
  MILLWRIGHT_RABBITMQ_MANAGEMENT_URL: 'http://user:password@rabbitmq:15672',
  MILLWRIGHT_SIGNING_KEY: 'k'.repeat(32),
  MILLWRIGHT_GATEWAY_URL: 'http://gateway:80/',
  MILLWRIGHT_AGENT_IMAGE: 'agent:1',
  POD_NAMESPACE: 'control',
};

interface Rule {
  to?: unknown[];
  ports?: { protocol: string; port: number }[];
}

/** Rules for what leaves a sandbox, of an operator with this environment. */
function egress(more: Record<string, string> = {}, pool = aPool('go')): Rule[] {
  const { spec } = sandboxNetworkPolicy(pool, readConfig({ ...environment, ...more }).reachable);
  expect(spec).toMatchObject({ podSelector: { matchLabels: { 'millwright.dev/pool': 'go' } }, ingress: [] });
  return spec.egress as Rule[];
}
const podsOf = (namespace: string, matchLabels: Record<string, string>) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  podSelector: { matchLabels },
});
const millwright = (component: string) =>
  podsOf('control', { 'app.kubernetes.io/name': 'millwright', 'app.kubernetes.io/component': component });

test('a sandbox reaches DNS of the cluster, gateway and broker, each on its ports, and nothing else', () => {
  expect(egress()).toEqual([
    {
      to: [podsOf('kube-system', { 'k8s-app': 'kube-dns' })],
      ports: [
        { protocol: 'UDP', port: 53 },
        { protocol: 'TCP', port: 53 },
      ],
    },
    { to: [millwright('gateway')], ports: [{ protocol: 'TCP', port: 8080 }] },
    { to: [millwright('rabbitmq')], ports: [{ protocol: 'TCP', port: 5672 }] },
  ]);
});

test('no rule is without peers or without ports, which would be everybody and every port', () => {
  const rules = egress({ MILLWRIGHT_SANDBOX_ADDRESSES: '10.0.0.5/32@5672,4318' });
  expect(rules).toHaveLength(4);
  for (const { to, ports } of rules) {
    expect(to?.length).toBeGreaterThan(0);
    expect(ports?.length).toBeGreaterThan(0);
  }
});

test('DNS elsewhere, a broker on another port, and what the pool allows', () => {
  const pool = aPool('go', { sandbox: { egress: [{ cidr: '192.0.2.0/24', ports: [443] }] } });
  const dns = { to: [{ ipBlock: { cidr: '169.254.20.10/32' } }], ports: [5353] };
  const rules = egress(
    { MILLWRIGHT_SANDBOX_DNS: JSON.stringify(dns), MILLWRIGHT_SANDBOX_AMQP_URL: 'amqps://rabbitmq' },
    pool,
  );
  expect(rules[0]).toMatchObject({ to: dns.to, ports: [{ port: 5353 }, { port: 5353 }] });
  expect(rules[2]?.ports).toEqual([{ protocol: 'TCP', port: 5671 }]);
  expect(rules.at(-1)).toEqual({
    to: [{ ipBlock: { cidr: '192.0.2.0/24' } }],
    ports: [{ protocol: 'TCP', port: 443 }],
  });
});
