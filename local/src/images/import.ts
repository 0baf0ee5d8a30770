import { rmSync } from 'node:fs';
import { ctr } from '../kubernetes/ctr.ts';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';
import type { BaseImage } from './base.ts';
import type { BuiltImages } from './images.ts';

/** Imports the images that the platform's containerd does not have. The base image comes first: the archives build on its layer. */
export async function importImages(ctx: Context, { base, archives }: BuiltImages): Promise<void> {
  const present = new Set((await ctr(ctx, ['images', 'list', '--quiet'])).split('\n'));
  const missing = Object.values(archives).filter(({ image }) => !present.has(image));
  if (missing.length === 0) return;
  await importBaseImage(ctx, base);
  for (const { image, archive } of missing) {
    await ctx.step(`Importing ${image}`, () => importArchive(ctx, image, archive), 2);
  }
}

/** Imports the base image unless containerd has it. */
export async function importBaseImage(ctx: Context, base: BaseImage): Promise<void> {
  const present = await ctr(ctx, ['images', 'list', '--quiet', `name==${base.name}`]);
  if (present.trim() === base.name) return;
  await ctx.step(
    'Importing the base image',
    async () => {
      const archive = `${base.layout}.${process.pid}.import`;
      try {
        await run('tar', ['-cf', archive, '-C', base.layout, '.']);
        await importArchive(ctx, base.name, archive);
      } finally {
        rmSync(archive, { force: true });
      }
    },
    10,
  );
}

/** Makes the archive's image known to the kubelet under its name. */
export async function importArchive(ctx: Context, image: string, archive: string): Promise<void> {
  await ctr(ctx, ['images', 'import', archive]);
  // The kubelet never collects an image that carries this label; no registry could give it back.
  await ctr(ctx, ['images', 'label', image, 'io.cri-containerd.pinned=pinned']);
}
