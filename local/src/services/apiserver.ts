import { certificate, clusterAuthority, frontProxyAuthority, serviceAccountKeys } from '../kubernetes/certificates.ts';
import { callApiServer } from '../kubernetes/client.ts';
import { adminKubeconfig, apiServerUrl, writeKubeconfig } from '../kubernetes/kubeconfig.ts';
import type { Service } from '../service.ts';

/** kube-apiserver on the bridge's gateway address, so that host and pods use one URL and the `kubernetes` Service has an endpoint. */
export const apiserver: Service = {
  name: 'kube-apiserver',
  dependsOn: ['etcd'],
  packages: ['openssl'],
  tools: ['kube-apiserver', 'kubectl'],
  readyTimeoutSeconds: 90,
  // It ends its open watches politely, which takes a while that nobody waits for.
  stop: { timeoutSeconds: 5 },
  remedy:
    'See whether another program has the port; `npm run local -- reset` makes new certificates and an empty cluster.',
  addresses: (ctx) => ({ [apiServerUrl(ctx)]: 'Kubernetes API' }),
  async prepare(ctx) {
    const { gateway, loopback, kubernetesService, clusterDomain, serviceCidr } = ctx.addresses;
    const authority = await clusterAuthority(ctx);
    const frontProxy = await frontProxyAuthority(ctx);
    const accounts = await serviceAccountKeys(ctx);
    const [serving, kubelet, proxy] = await Promise.all([
      certificate(
        ctx,
        'kube-apiserver',
        {
          commonName: 'kube-apiserver',
          names: [
            'localhost',
            'kubernetes',
            'kubernetes.default',
            'kubernetes.default.svc',
            `kubernetes.default.svc.${clusterDomain}`,
          ],
          addresses: [gateway, loopback, kubernetesService],
        },
        authority,
      ),
      // Without it `kubectl logs` and `exec` are refused by the kubelet.
      certificate(
        ctx,
        'kube-apiserver-kubelet',
        { commonName: 'kube-apiserver', organization: 'system:masters' },
        authority,
      ),
      certificate(ctx, 'front-proxy', { commonName: 'front-proxy' }, frontProxy),
    ]);
    await writeKubeconfig(ctx, adminKubeconfig(ctx), { name: 'admin', group: 'system:masters' });
    return {
      command: ctx.tool('kube-apiserver'),
      args: [
        `--advertise-address=${gateway}`,
        `--bind-address=${gateway}`,
        `--secure-port=${ctx.ports.apiserver}`,
        `--etcd-servers=http://${loopback}:${ctx.ports.etcd}`,
        `--service-cluster-ip-range=${serviceCidr}`,
        `--client-ca-file=${authority.cert}`,
        `--tls-cert-file=${serving.cert}`,
        `--tls-private-key-file=${serving.key}`,
        '--authorization-mode=Node,RBAC',
        // On top of the defaults, which include PodSecurity and the validating policies.
        '--enable-admission-plugins=NodeRestriction',
        `--service-account-issuer=https://kubernetes.default.svc.${clusterDomain}`,
        `--service-account-key-file=${accounts.publicKey}`,
        `--service-account-signing-key-file=${accounts.privateKey}`,
        `--kubelet-certificate-authority=${authority.cert}`,
        `--kubelet-client-certificate=${kubelet.cert}`,
        `--kubelet-client-key=${kubelet.key}`,
        '--kubelet-preferred-address-types=InternalIP',
        `--requestheader-client-ca-file=${frontProxy.cert}`,
        '--requestheader-allowed-names=front-proxy',
        '--requestheader-username-headers=X-Remote-User',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
        `--proxy-client-cert-file=${proxy.cert}`,
        `--proxy-client-key-file=${proxy.key}`,
        '--allow-privileged=true',
        // For administrators only: where the API server spends its time says what bounds a benchmark.
        '--profiling=true',
      ],
    };
  },
  async ready(ctx) {
    const answer = await callApiServer(ctx, 'GET', '/readyz');
    if (answer.status !== 200) throw new Error(`/readyz answers ${answer.status}: ${answer.body.slice(0, 300)}`);
  },
};
