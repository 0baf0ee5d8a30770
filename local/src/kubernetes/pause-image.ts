import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importArchive } from '../images/import.ts';
import { writeSingleLayerLayout } from '../images/oci-layout.ts';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';
import { ctr } from './ctr.ts';

/** The image of every pod's first container, which holds the pod's namespaces. Local only: no registry has it. */
export const pauseImage = 'millwright.local/pause:1';

/** Builds the image from one static binary, without any image tool, and imports it unless containerd has it. */
export async function importPauseImage(ctx: Context): Promise<void> {
  const present = await ctr(ctx, ['images', 'list', '--quiet', `name==${pauseImage}`]);
  if (present.trim() === pauseImage) return;
  const folder = mkdtempSync(join(tmpdir(), 'millwright-pause-'));
  try {
    const root = join(folder, 'root');
    mkdirSync(root);
    copyFileSync(ctx.tool('pause'), join(root, 'pause'));
    chmodSync(join(root, 'pause'), 0o755);
    const layer = join(folder, 'layer.tar');
    // The same input gives the same digest on every machine.
    await run('tar', ['-cf', layer, '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '-C', root, 'pause']);
    const layout = join(folder, 'layout');
    await writeSingleLayerLayout(layout, layer, pauseImage, { Entrypoint: ['/pause'], User: '65535:65535' });
    const archive = join(folder, 'pause.tar');
    await run('tar', ['-cf', archive, '-C', layout, '.']);
    await importArchive(ctx, pauseImage, archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
