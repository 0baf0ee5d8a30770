import { certificate, clusterAuthority, serviceAccountKeys } from '../kubernetes/certificates.ts';
import { callApiServer, callTls } from '../kubernetes/client.ts';
import { componentKubeconfig } from '../kubernetes/kubeconfig.ts';
import type { Context, Service } from '../service.ts';

/** kube-controller-manager: Jobs, endpoints, garbage collection, service accounts. */
export const controllerManager: Service = {
  name: 'kube-controller-manager',
  dependsOn: ['kube-apiserver'],
  tools: ['kube-controller-manager'],
  stop: { timeoutSeconds: 5 },
  remedy: 'It needs only the API server: look at the log of kube-apiserver as well.',
  async prepare(ctx) {
    const kubeconfig = await componentKubeconfig(ctx, this.name, 'system:kube-controller-manager');
    const authority = await clusterAuthority(ctx);
    const accounts = await serviceAccountKeys(ctx);
    return {
      command: ctx.tool('kube-controller-manager'),
      args: [
        ...(await common(ctx, this.name, kubeconfig, ctx.ports.controllerManager)),
        '--use-service-account-credentials=true',
        `--service-account-private-key-file=${accounts.privateKey}`,
        `--root-ca-file=${authority.cert}`,
        `--cluster-signing-cert-file=${authority.cert}`,
        `--cluster-signing-key-file=${authority.key}`,
        // The one node's address range is the bridge's, which CNI's own bookkeeping hands out.
        '--allocate-node-cidrs=false',
        '--cluster-name=millwright-local',
        // With one node there is nowhere to move pods to, so a slow heartbeat on a busy machine must not evict them.
        '--node-monitor-grace-period=5m',
        // A fan-out of 1,000 sandboxes is a normal day here; the defaults (20/30) are made for shared clusters.
        '--kube-api-qps=200',
        '--kube-api-burst=400',
      ],
    };
  },
  async ready(ctx) {
    await healthy(ctx, ctx.ports.controllerManager);
    // Pods are refused until their namespace's default account exists.
    const answer = await callApiServer(ctx, 'GET', '/api/v1/namespaces/default/serviceaccounts/default');
    if (answer.status !== 200) throw new Error('the default service account has not been made yet');
  },
};

/** kube-scheduler, with its defaults. */
export const scheduler: Service = {
  name: 'kube-scheduler',
  dependsOn: ['kube-apiserver'],
  tools: ['kube-scheduler'],
  stop: { timeoutSeconds: 5 },
  remedy: 'It needs only the API server: look at the log of kube-apiserver as well.',
  async prepare(ctx) {
    const kubeconfig = await componentKubeconfig(ctx, this.name, 'system:kube-scheduler');
    return {
      command: ctx.tool('kube-scheduler'),
      args: [
        ...(await common(ctx, this.name, kubeconfig, ctx.ports.scheduler)),
        '--kube-api-qps=200',
        '--kube-api-burst=400',
      ],
    };
  },
  ready: (ctx) => healthy(ctx, ctx.ports.scheduler),
};

async function common(ctx: Context, name: string, kubeconfig: string, port: number): Promise<string[]> {
  const authority = await clusterAuthority(ctx);
  const serving = await certificate(ctx, name, { commonName: name, addresses: [ctx.addresses.loopback] }, authority);
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    `--tls-cert-file=${serving.cert}`,
    `--tls-private-key-file=${serving.key}`,
    `--bind-address=${ctx.addresses.loopback}`,
    `--secure-port=${port}`,
    '--profiling=false',
    // There is one of each; electing a leader costs 2 writes a second and delays every restart by the lease.
    '--leader-elect=false',
  ];
}

/** Both serve their health to anyone. */
async function healthy(ctx: Context, port: number): Promise<void> {
  const authority = await clusterAuthority(ctx);
  const answer = await callTls(`https://${ctx.addresses.loopback}:${port}/healthz`, 'GET', authority.cert);
  if (answer.status !== 200) throw new Error(`/healthz answers ${answer.status}: ${answer.body.slice(0, 300)}`);
}
