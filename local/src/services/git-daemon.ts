import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Context, Service } from '../service.ts';
import { nobody, ownedFolder, unprivileged } from './unprivileged.ts';

/** The folder whose bare repositories are served, each by its file name. */
export function repositoriesDir(ctx: Context): string {
  const folder = join(ctx.dataDir('git-daemon'), 'repositories');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Where pods and the host clone and push, without credentials. */
export function repositoryUrl(ctx: Context, file: string): string {
  return `git://${ctx.addresses.gateway}:${ctx.ports.git}/${file}`;
}

/** The plain git forge of the local platform: whoever reaches the bridge may read and push. */
export const gitDaemon: Service = {
  name: 'git-daemon',
  packages: ['git'],
  remedy: 'Check that nothing else listens on port 9418 of the bridge, and that git is not older than 2.39.',
  addresses: (ctx) => ({ [repositoryUrl(ctx, '')]: 'git' }),
  async prepare(ctx) {
    await ownedFolder(nobody, ctx.dataDir('git-daemon'));
    const folder = await ownedFolder(nobody, repositoriesDir(ctx));
    return unprivileged(nobody, {
      command: 'git',
      args: [
        'daemon',
        `--listen=${ctx.addresses.gateway}`,
        `--port=${ctx.ports.git}`,
        '--reuseaddr',
        `--base-path=${folder}`,
        '--export-all',
        '--enable=receive-pack',
        '--informative-errors',
        '--timeout=60',
        '--verbose',
      ],
      // Nothing of the person's own configuration may change what the forge does.
      env: { HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
    });
  },
  async ready(ctx) {
    await answers(ctx.addresses.gateway, ctx.ports.git);
  },
};

/** Resolves when a TCP connection opens within 2 s. */
function answers(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 2000 });
    const failed = (reason: string) => {
      socket.destroy();
      reject(new Error(`${host}:${port}: ${reason}`));
    };
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => failed('no answer'));
    socket.once('error', (error) => failed(error.message));
  });
}
