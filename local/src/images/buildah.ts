import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CommandError, run } from '../process/run.ts';
import type { Context } from '../service.ts';
import type { BaseImage } from './base.ts';
import { cached, imagesDir } from './cache.ts';
import { blobPath, imageArchitecture, layoutDigests, nameLayout } from './oci-layout.ts';

/** What to build, and the name that the result gets in containerd. */
export interface ImageBuild {
  /** Short name; with the key, it names the image and its archive. */
  readonly name: string;
  /** Names the content of everything that goes into the image, the base image included. */
  readonly key: string;
  readonly containerfile: string;
  readonly context: string;
  /** Patterns of what to leave out of the context. */
  readonly ignoreFile?: string;
  readonly expectedSeconds: number;
}

/** An image as a file that `ctr images import` takes. */
export interface ImageArchive {
  readonly image: string;
  readonly archive: string;
}

/**
 * Builds an image from its Containerfile on the base image, without an engine, unless the cache has it. The archive holds only the
 * layers above the base: containerd has the base's layer already, and copying it for each image would cost ten times the build.
 */
export async function buildImage(ctx: Context, base: BaseImage, build: ImageBuild): Promise<ImageArchive> {
  const image = `millwright.local/${build.name}:${build.key}`;
  const archive = await cached(ctx, { name: build.name, key: build.key, suffix: '.tar' }, (file) =>
    ctx.step(`Building image ${build.name}`, () => buildArchive(ctx, base, build, image, file), build.expectedSeconds),
  );
  return { image, archive };
}

async function buildArchive(
  ctx: Context,
  base: BaseImage,
  build: ImageBuild,
  image: string,
  file: string,
): Promise<void> {
  const log = ctx.logFile('images');
  const buildah = await buildahCommand(ctx, log);
  const baseDigests = layoutDigests(base.layout);
  const baseId = baseDigests.config.replace('sha256:', '');
  await pullBase(buildah, base, baseId);
  const layout = `${file}.layout`;
  try {
    const args = ['--layers=false', '--pull=false', '--format', 'oci', '--timestamp', '0'];
    if (build.ignoreFile) args.push('--ignorefile', build.ignoreFile);
    args.push('--build-arg', `BASE_IMAGE=${baseId}`, '--build-arg', `TARGETARCH=${imageArchitecture()}`);
    await buildah(['bud', ...args, '--tag', image, '--file', build.containerfile, build.context]);
    // buildah skips a layer that the destination has, so the base's is there by link before the push, and left out of the archive.
    const shared = baseDigests.layers.map((digest) => blobPath('.', digest));
    for (const blob of shared) {
      mkdirSync(dirname(join(layout, blob)), { recursive: true });
      linkSync(join(base.layout, blob), join(layout, blob));
    }
    writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await buildah(['push', image, `oci:${layout}`]);
    nameLayout(layout, image);
    await run('tar', ['-cf', file, ...shared.map((blob) => `--exclude=./${blob}`), '-C', layout, '.']);
    await buildah(['rmi', image]);
  } finally {
    rmSync(layout, { recursive: true, force: true });
  }
}

type Buildah = (args: readonly string[]) => Promise<string>;

/** `buildah` with a store of its own; the machine's, if there is one, is left alone. */
async function buildahCommand(ctx: Context, log: string): Promise<Buildah> {
  const driver = (await canMountOverlay(ctx)) ? 'overlay' : 'vfs';
  const store = join(imagesDir(ctx), `store-${driver}`);
  const global = ['--storage-driver', driver, '--root', store, '--runroot', join(ctx.runDir, `images-${driver}`)];
  // Chroot isolation needs no runtime and no namespaces.
  const env = { BUILDAH_ISOLATION: 'chroot' };
  return (args) => run('nice', ['buildah', ...global, ...args], { cwd: imagesDir(ctx), env, log });
}

async function pullBase(buildah: Buildah, base: BaseImage, baseId: string): Promise<void> {
  try {
    await buildah(['inspect', '--type', 'image', '--format', '{{.FromImageID}}', baseId]);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // The store names the image after the path, which therefore has to look like a name.
    await buildah(['pull', '--quiet', `oci:${basename(base.layout)}`]);
  }
}

/** Copying whole file systems, as vfs does, works everywhere; overlay is quicker where the kernel and the disk allow it. */
async function canMountOverlay(ctx: Context): Promise<boolean> {
  const folder = mkdtempSync(join(imagesDir(ctx), '.overlay-'));
  const part = (name: string) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  try {
    const options = `lowerdir=${part('lower')},upperdir=${part('upper')},workdir=${part('work')}`;
    const merged = part('merged');
    await run('mount', ['-t', 'overlay', 'overlay', '-o', options, merged]);
    await run('umount', [merged]);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
