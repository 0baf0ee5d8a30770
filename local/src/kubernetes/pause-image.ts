import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';

/** The image of every pod's first container, which holds the pod's namespaces. Local only: no registry has it. */
export const pauseImage = 'millwright.local/pause:1';

/** Builds the image from one static binary, without any image tool, and imports it unless containerd has it. */
export async function importPauseImage(ctx: Context, ctr: (args: readonly string[]) => Promise<string>): Promise<void> {
  const present = await ctr(['images', 'list', '--quiet', `name==${pauseImage}`]);
  if (present.trim() === pauseImage) return;
  const folder = mkdtempSync(join(tmpdir(), 'millwright-pause-'));
  try {
    const archive = await ociArchive(folder, ctx.tool('pause'));
    await ctr(['images', 'import', '--no-unpack', archive]);
    // The kubelet never collects an image that carries this label.
    await ctr(['images', 'label', pauseImage, 'io.cri-containerd.pinned=pinned']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An archive in the OCI image layout with one layer that holds `/pause` alone. Returns its path. */
async function ociArchive(folder: string, binary: string): Promise<string> {
  const root = join(folder, 'root');
  const layout = join(folder, 'layout');
  mkdirSync(root);
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  copyFileSync(binary, join(root, 'pause'));
  chmodSync(join(root, 'pause'), 0o755);
  await tar(join(folder, 'layer.tar'), root, 'pause');
  const blob = (mediaType: string, content: Buffer) => {
    const hex = createHash('sha256').update(content).digest('hex');
    writeFileSync(join(layout, 'blobs/sha256', hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const layer = blob('application/vnd.oci.image.layer.v1.tar', readFileSync(join(folder, 'layer.tar')));
  const config = blob(
    'application/vnd.oci.image.config.v1+json',
    json({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Entrypoint: ['/pause'], User: '65535:65535' },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    }),
  );
  const manifest = blob(
    'application/vnd.oci.image.manifest.v1+json',
    json({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [layer] }),
  );
  const index = { ...manifest, annotations: { 'io.containerd.image.name': pauseImage } };
  writeFileSync(join(layout, 'index.json'), json({ schemaVersion: 2, manifests: [index] }));
  writeFileSync(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  const archive = join(folder, 'pause.tar');
  await tar(archive, layout, '.');
  return archive;
}

async function tar(archive: string, folder: string, what: string): Promise<void> {
  // The same input gives the same digest on every machine.
  const reproducible = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  await run('tar', ['-cf', archive, ...reproducible, '-C', folder, what]);
}
