import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeAtomically } from '../files.ts';
import { applyObject } from '../kubernetes/client.ts';
import { componentKubeconfig } from '../kubernetes/kubeconfig.ts';
import { probeHttp } from '../probe.ts';
import type { Context, Service } from '../service.ts';

const user = 'system:coredns';

/** Cluster DNS, on the host at the bridge's gateway address, which every pod has as its name server. */
export const coredns: Service = {
  name: 'coredns',
  dependsOn: ['kube-apiserver'],
  tools: ['coredns'],
  remedy: 'See whether another name server listens on all addresses, the bridge included.',
  async prepare(ctx) {
    const kubeconfig = await componentKubeconfig(ctx, 'coredns', user);
    const config = corefile(ctx, kubeconfig);
    const file = join(ctx.dataDir('coredns'), 'Corefile');
    writeAtomically(file, config);
    await allowReading(ctx);
    return {
      command: ctx.tool('coredns'),
      args: ['-conf', file],
      fingerprint: createHash('sha256').update(config).digest('hex'),
    };
  },
  async ready(ctx) {
    await probeHttp(`http://${ctx.addresses.loopback}:${ctx.ports.dnsReady}/ready`);
  },
};

function corefile(ctx: Context, kubeconfig: string): string {
  const { gateway, loopback, clusterDomain } = ctx.addresses;
  return `.:${ctx.ports.dns} {
  bind ${gateway}
  errors
  ready ${loopback}:${ctx.ports.dnsReady}
  kubernetes ${clusterDomain} in-addr.arpa {
    kubeconfig ${kubeconfig}
    ttl 5
  }
  forward . /etc/resolv.conf
  cache 30 {
    disable success ${clusterDomain}
    disable denial ${clusterDomain}
  }
}
`;
}

async function allowReading(ctx: Context): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const metadata = { name: user };
  await applyObject(ctx, `${rbac}/clusterroles/${user}`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata,
    rules: [
      { apiGroups: [''], resources: ['services', 'namespaces'], verbs: ['list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    ],
  });
  await applyObject(ctx, `${rbac}/clusterrolebindings/${user}`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
}
