import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';
import { findGo } from '../tools.ts';
import type { BaseImage } from './base.ts';
import { buildImage, type ImageArchive } from './buildah.ts';
import { contentKey } from './content-key.ts';

/** The toolchain image of the sample project: the machine's Go, so that it compiles and tests without a network. */
export async function buildWorkspaceGo(ctx: Context, base: BaseImage): Promise<ImageArchive> {
  const folder = join(import.meta.dirname, 'workspace-go');
  const containerfile = join(folder, 'Containerfile');
  const ignoreFile = join(folder, 'context.ignore');
  const go = JSON.parse(await run(findGo(), ['env', '-json', 'GOROOT', 'GOVERSION'])) as {
    GOROOT: string;
    GOVERSION: string;
  };
  const recipe = [containerfile, ignoreFile].map((file) => readFileSync(file, 'utf8'));
  return buildImage(ctx, base, {
    name: 'workspace-go',
    key: contentKey(base.key, go.GOVERSION, ...recipe),
    containerfile,
    context: go.GOROOT,
    ignoreFile,
    expectedSeconds: 75,
  });
}
