import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';
import { cached } from './cache.ts';
import { contentKey } from './content-key.ts';
import { writeSingleLayerLayout } from './oci-layout.ts';

/** The local platform's stand-in for `node:24-slim`: Debian, git and the repository's own Node. */
export interface BaseImage {
  /** The name it has in containerd. */
  readonly name: string;
  readonly key: string;
  /** Folder of its OCI layout. */
  readonly layout: string;
}

const suite = 'bookworm';
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Nobody reads documentation in a sandbox, and the file system of a bootstrap needs no protection from a power failure. */
const options = [
  '--variant=minbase',
  '--include=ca-certificates,git',
  '--aptopt=Acquire::Languages "none"',
  '--dpkgopt=force-unsafe-io',
  '--dpkgopt=path-exclude=/usr/share/man/*',
  '--dpkgopt=path-exclude=/usr/share/info/*',
  '--dpkgopt=path-exclude=/usr/share/locale/*',
  '--dpkgopt=path-exclude=/usr/share/doc/*',
  '--dpkgopt=path-include=/usr/share/doc/*/copyright',
];

/** Bootstraps the base image unless the cache has it. */
export async function buildBaseImage(ctx: Context): Promise<BaseImage> {
  const node = join(ctx.repository, 'node_modules/node');
  const { version } = JSON.parse(readFileSync(join(node, 'package.json'), 'utf8')) as { version: string };
  const key = contentKey(suite, ...options, version, process.arch);
  const name = `millwright.local/base:${key}`;
  const layout = await cached(ctx, { name: 'base', key }, (folder) =>
    ctx.step(
      'Bootstrapping the base image',
      async (report) => {
        const tar = `${folder}.tar`;
        await run(
          'nice',
          ['mmdebstrap', ...options, `--customize-hook=copy-in "${node}/bin/node" /usr/local/bin`, suite, tar],
          {
            log: ctx.logFile('images'),
            env: { SOURCE_DATE_EPOCH: '0' },
            onLine: (line) => report(undefined, line.replace(/^I: /, '')),
          },
        );
        await writeSingleLayerLayout(folder, tar, name, { Env: [`PATH=${path}`] });
      },
      30,
    ),
  );
  return { name, key, layout };
}
