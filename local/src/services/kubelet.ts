import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeAtomically } from '../files.ts';
import { certificate, clusterAuthority } from '../kubernetes/certificates.ts';
import { callApiServer } from '../kubernetes/client.ts';
import { containerdSocket } from '../kubernetes/ctr.ts';
import { componentKubeconfig } from '../kubernetes/kubeconfig.ts';
import type { Context, Service } from '../service.ts';

/** The one node. */
export const kubelet: Service = {
  name: 'kubelet',
  dependsOn: ['kube-apiserver', 'containerd'],
  packages: ['mount', 'iptables', 'util-linux'],
  tools: ['kubelet'],
  readyTimeoutSeconds: 90,
  remedy: 'Its log says which kernel feature it misses; the log of containerd says why a container does not start.',
  async prepare(ctx) {
    const data = ctx.dataDir('kubelet');
    const { nodeName, gateway } = ctx.addresses;
    const kubeconfig = await componentKubeconfig(ctx, 'kubelet', `system:node:${nodeName}`, 'system:nodes');
    const config = stringify(await configuration(ctx, data));
    writeAtomically(join(data, 'config.yaml'), config);
    return {
      command: ctx.tool('kubelet'),
      args: [
        `--config=${join(data, 'config.yaml')}`,
        `--kubeconfig=${kubeconfig}`,
        `--root-dir=${join(data, 'root')}`,
        `--cert-dir=${join(data, 'certificates')}`,
        `--hostname-override=${nodeName}`,
        `--node-ip=${gateway}`,
      ],
      fingerprint: createHash('sha256').update(config).digest('hex'),
    };
  },
  async ready(ctx) {
    const answer = await callApiServer(ctx, 'GET', `/api/v1/nodes/${ctx.addresses.nodeName}`);
    if (answer.status !== 200) throw new Error(`the node is not registered yet (${answer.status})`);
    const ready = nodeReadiness(answer.body);
    if (ready !== true) throw new Error(`the node is not ready: ${ready}`);
  },
};

async function configuration(ctx: Context, data: string) {
  const { gateway, loopback, nodeName, clusterDomain } = ctx.addresses;
  const authority = await clusterAuthority(ctx);
  const serving = await certificate(
    ctx,
    'kubelet-serving',
    { commonName: `system:node:${nodeName}`, organization: 'system:nodes', names: [nodeName], addresses: [gateway] },
    authority,
  );
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: gateway,
    port: ctx.ports.kubelet,
    healthzBindAddress: loopback,
    healthzPort: ctx.ports.kubeletHealth,
    readOnlyPort: 0,
    tlsCertFile: serving.cert,
    tlsPrivateKeyFile: serving.key,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: authority.cert },
    },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${containerdSocket(ctx)}`,
    clusterDNS: [gateway],
    clusterDomain,
    podLogsDir: join(data, 'pod-logs'),
    volumePluginDir: join(data, 'volume-plugins'),
    // Machines for development often have cgroup v1, swap, and no systemd to hand cgroups out.
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    enforceNodeAllocatable: [],
    failSwapOn: false,
    memorySwap: {},
    maxPods: 250,
    // Images come from local archives: one that was collected could not be pulled again.
    imageGCHighThresholdPercent: 100,
    imageMinimumGCAge: '8760h',
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'nodefs.inodesFree': '1%',
      'imagefs.available': '1%',
      'imagefs.inodesFree': '1%',
    },
    // The default (50/100) makes the starts of a burst of sandboxes queue up behind status updates.
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
    shutdownGracePeriod: '0s',
  };
}

/** True, or the reason that the node gives for not being ready. */
function nodeReadiness(body: string): true | string {
  const node = JSON.parse(body) as { status?: { conditions?: { type: string; status: string; message?: string }[] } };
  const condition = node.status?.conditions?.find(({ type }) => type === 'Ready');
  if (!condition) return 'it has not reported anything yet';
  return condition.status === 'True' ? true : (condition.message ?? condition.status);
}
