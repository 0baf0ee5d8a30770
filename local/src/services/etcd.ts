import { probeHttp } from '../probe.ts';
import type { Service } from '../service.ts';

/** The API server's store, with fsync on: what it has confirmed survives a crash of the machine. */
export const etcd: Service = {
  name: 'etcd',
  tools: ['etcd'],
  remedy: 'If its data was damaged, `npm run local -- reset` starts with an empty cluster.',
  async prepare(ctx) {
    const client = `http://${ctx.addresses.loopback}:${ctx.ports.etcd}`;
    const peer = `http://${ctx.addresses.loopback}:${ctx.ports.etcdPeer}`;
    return {
      command: ctx.tool('etcd'),
      args: [
        '--name=local',
        `--data-dir=${ctx.dataDir('etcd')}`,
        `--listen-client-urls=${client}`,
        `--advertise-client-urls=${client}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=local=${peer}`,
        // Long benchmarks write a lot: keep an hour of history, and 8 GiB before etcd refuses writes.
        '--auto-compaction-mode=periodic',
        '--auto-compaction-retention=1h',
        `--quota-backend-bytes=${8 * 1024 ** 3}`,
        '--log-level=warn',
      ],
    };
  },
  async ready(ctx) {
    await probeHttp(`http://${ctx.addresses.loopback}:${ctx.ports.etcd}/health`);
  },
};
