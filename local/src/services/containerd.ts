import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '../files.ts';
import { containerdSocket, ctr } from '../kubernetes/ctr.ts';
import { endContainers, unmountBelow } from '../kubernetes/leftovers.ts';
import { importPauseImage, pauseImage } from '../kubernetes/pause-image.ts';
import type { Context, Service } from '../service.ts';

/** Runs the pods' containers. */
export const containerd: Service = {
  name: 'containerd',
  packages: ['containerd', 'runc', 'containernetworking-plugins'],
  tools: ['pause'],
  remedy:
    'Check that this machine lets root mount overlay file systems and use cgroups (containers inside containers often may not).',
  async prepare(ctx) {
    const data = ctx.dataDir('containerd');
    mkdirSync(ctx.runDir, { recursive: true });
    const config = configuration(ctx, data);
    const network = networkConfiguration(ctx);
    writeAtomically(join(data, 'config.toml'), config);
    writeAtomically(join(data, 'cni/10-bridge.conflist'), network);
    return {
      command: 'containerd',
      args: ['--config', join(data, 'config.toml')],
      fingerprint: createHash('sha256').update(config).update(network).digest('hex'),
    };
  },
  async ready(ctx) {
    await ctr(ctx, ['version'], { timeoutSeconds: 5 });
  },
  async afterReady(ctx) {
    await importPauseImage(ctx);
  },
  /** Shims and their containers outlive containerd by design: they end while it can still be asked for them. */
  beforeStop: endContainers,
  afterStop: (ctx) => unmountBelow([join(ctx.stateDir, 'data'), ctx.runDir]),
};

function configuration(ctx: Context, data: string): string {
  const text = (value: string) => JSON.stringify(value);
  return `version = 2
root = ${text(join(data, 'root'))}
state = ${text(join(ctx.runDir, 'containerd'))}
disabled_plugins = ["io.containerd.internal.v1.restart", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = ${text(containerdSocket(ctx))}

[plugins."io.containerd.internal.v1.opt"]
  path = ${text(join(data, 'opt'))}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(pauseImage)}
  # Where CAP_SYS_RESOURCE is missing, runc fails on the negative score that every sandbox asks for.
  restrict_oom_score_adj = true
  stream_server_address = ${text(ctx.addresses.loopback)}

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = ${text(join(data, 'cni'))}

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

function networkConfiguration(ctx: Context): string {
  const { bridge, podCidr, gateway } = ctx.addresses;
  return JSON.stringify(
    {
      cniVersion: '0.4.0',
      name: 'millwright',
      plugins: [
        {
          type: 'bridge',
          bridge,
          isGateway: true,
          // The platform's own rule does it for all pods.
          ipMasq: false,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            dataDir: join(ctx.stateDir, 'data/containerd/addresses'),
            ranges: [[{ subnet: podCidr, gateway }]],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
      ],
    },
    null,
    1,
  );
}
