import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../service.ts';
import { type Cluster, RELEASE } from './cluster.ts';

/** Of the installed release: a hash of chart and values, so that an unchanged one is not upgraded again. */
const STAMP = 'millwright.dev/installed';

/** Installs or upgrades the chart and waits until everything in it is ready. Quick when nothing has changed. */
export async function installChart(ctx: Context, cluster: Cluster): Promise<void> {
  const { kubectl, helm, systemNamespace, valueFiles } = cluster;
  const chart = join(ctx.repository, 'charts/millwright');
  const valuesFile = join(ctx.dataDir('start'), `values-${cluster.context}.json`);
  const values = JSON.stringify(cluster.values, null, 2);
  writeFileSync(valuesFile, values, { mode: 0o600 });
  const stamp = contentOf(chart, [values, ...valueFiles.map((file) => readFileSync(file, 'utf8'))]);
  await ensureNamespace(cluster, systemNamespace);
  const installed = await kubectl([
    'get',
    'namespace',
    systemNamespace,
    '-o',
    `jsonpath={.metadata.annotations['${STAMP.replaceAll('.', '\\.')}']}`,
  ]);
  if (installed !== stamp)
    await ctx.step(
      'Installing the chart',
      async () => {
        const files = [...valueFiles, valuesFile].flatMap((file) => ['--values', file]);
        await helm([
          'upgrade',
          '--install',
          RELEASE,
          chart,
          '--namespace',
          systemNamespace,
          ...files,
          // CRDs may be there already, applied by hand or by tests: they become this release's.
          '--take-ownership',
          '--timeout',
          '5m',
        ]);
        await kubectl(['annotate', 'namespace', systemNamespace, `${STAMP}=${stamp}`, '--overwrite']);
      },
      10,
    );
  await ctx.step(
    'Waiting for Millwright to be ready',
    async () => {
      for (const kind of ['deployment', 'statefulset'])
        await kubectl([
          'rollout',
          'status',
          kind,
          '--namespace',
          systemNamespace,
          '--selector',
          `app.kubernetes.io/instance=${RELEASE}`,
          '--timeout=240s',
        ]);
    },
    20,
  );
}

/** A namespace that enforces the restricted Pod Security standard. */
export async function ensureNamespace(cluster: Cluster, name: string): Promise<void> {
  const manifest = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  };
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(manifest));
}

function contentOf(folder: string, parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, file);
    if (statSync(path).isFile()) hash.update(file).update(readFileSync(path));
  }
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 32);
}
