import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeAtomically } from '../files.ts';
import { componentKubeconfig } from '../kubernetes/kubeconfig.ts';
import { probeHttp } from '../probe.ts';
import { run } from '../process/run.ts';
import type { Service } from '../service.ts';

/** Service addresses, by iptables. */
export const kubeProxy: Service = {
  name: 'kube-proxy',
  dependsOn: ['kube-apiserver'],
  packages: ['iptables'],
  tools: ['kube-proxy'],
  remedy: 'Check that `iptables -t nat -L` works: the kernel needs netfilter with NAT and conntrack.',
  async prepare(ctx) {
    const data = ctx.dataDir('kube-proxy');
    const { loopback, nodeName, podCidr } = ctx.addresses;
    const config = stringify({
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: 'iptables',
      clusterCIDR: podCidr,
      hostnameOverride: nodeName,
      bindAddress: loopback,
      healthzBindAddress: `${loopback}:${ctx.ports.kubeProxyHealth}`,
      metricsBindAddress: `${loopback}:${ctx.ports.kubeProxyMetrics}`,
      nodePortAddresses: [`${loopback}/32`],
      clientConnection: { kubeconfig: await componentKubeconfig(ctx, 'kube-proxy', 'system:kube-proxy') },
      // Pods share one bridge: without masquerading, the answer to a Service's address would take the short way and be dropped.
      iptables: { masqueradeAll: true, syncPeriod: '30s', minSyncPeriod: '100ms' },
      // The kernel's own limits stay: they may be read-only here.
      conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    });
    writeAtomically(join(data, 'config.yaml'), config);
    return {
      command: ctx.tool('kube-proxy'),
      args: [`--config=${join(data, 'config.yaml')}`],
      fingerprint: createHash('sha256').update(config).digest('hex'),
    };
  },
  async ready(ctx) {
    await probeHttp(`http://${ctx.addresses.loopback}:${ctx.ports.kubeProxyHealth}/healthz`);
  },
  /** Its rules would send the Service range nowhere for as long as the platform is down. */
  async afterStop(ctx) {
    await run(ctx.tool('kube-proxy'), ['--cleanup', `--config=${join(ctx.dataDir('kube-proxy'), 'config.yaml')}`], {
      log: ctx.logFile('kube-proxy'),
    });
  },
};
