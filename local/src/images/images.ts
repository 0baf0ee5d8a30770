import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from '../debian.ts';
import type { Context } from '../service.ts';
import { type BaseImage, buildBaseImage } from './base.ts';
import { buildImage, type ImageArchive } from './buildah.ts';
import { bundleProcesses, type ProductImage } from './bundle.ts';
import { contentKey, folderKey } from './content-key.ts';
import { importImages } from './import.ts';
import { buildWorkspaceGo } from './workspace-go.ts';
import { buildWorkspaceServer } from './workspace-server.ts';

/** Full image names; the tag is a hash of the content, so a name never means anything else. */
export type ImageRefs = Readonly<Record<ProductImage | 'workspaceGo', string>>;

/** The base image and what is built on it, as files that can be imported. */
export interface BuiltImages {
  readonly base: BaseImage;
  readonly archives: Readonly<Record<ProductImage | 'workspaceGo', ImageArchive>>;
}

/** Debian packages that bring the commands used here. */
export const imagePackages = ['buildah', 'mmdebstrap'] as const;

/**
 * Builds all images that have changed and imports those that the platform's containerd, which must run, does not have.
 *
 * @throws CommandError with the last lines of the tool that failed; all output is in the log `images`.
 */
export async function buildImages(ctx: Context): Promise<ImageRefs> {
  const built = await buildArchives(ctx);
  await importImages(ctx, built);
  const { operator, gateway, agents, workspaceGo } = built.archives;
  return { operator: operator.image, gateway: gateway.image, agents: agents.image, workspaceGo: workspaceGo.image };
}

/** The part of `buildImages` that needs no running platform: it can go on while the platform starts. */
export async function buildArchives(ctx: Context): Promise<BuiltImages> {
  await ensurePackages(ctx, imagePackages);
  const [base] = await Promise.all([buildBaseImage(ctx), bundleProcesses(ctx.repository), buildWorkspaceServer(ctx)]);
  const product = (name: ProductImage) => buildProductImage(ctx, base, name);
  // One after the other: the first fetches the base image for all, and a build is one second of one busy core.
  const archives = {
    operator: await product('operator'),
    gateway: await product('gateway'),
    agents: await product('agents'),
    workspaceGo: await buildWorkspaceGo(ctx, base),
  };
  return { base, archives };
}

function buildProductImage(ctx: Context, base: BaseImage, name: ProductImage): Promise<ImageArchive> {
  const context = join(ctx.repository, name);
  const containerfile = join(context, 'Containerfile');
  return buildImage(ctx, base, {
    name,
    key: contentKey(base.key, readFileSync(containerfile, 'utf8'), folderKey(join(context, 'dist'))),
    containerfile,
    context,
    expectedSeconds: 3,
  });
}
