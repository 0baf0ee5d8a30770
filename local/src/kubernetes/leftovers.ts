import { readFileSync, rmSync } from 'node:fs';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';
import { ctr } from './ctr.ts';

/**
 * Ends every container of the platform's containerd, with its shim and its network namespace. The pods' objects stay in etcd, and
 * containerd's own record of the containers stays as well: the next `up` finds them ended, as after a crash of the machine.
 */
export async function endContainers(ctx: Context): Promise<void> {
  const running = await list(ctx, 'tasks');
  const namespaces = await networkNamespaces(ctx);
  if (running.length > 0) {
    await ctx.step(`Ending ${running.length} containers`, async (report) => {
      for (const [index, id] of running.entries()) {
        report(index / running.length);
        // A container may end by itself meanwhile; what counts is the check after the loop.
        await ctr(ctx, ['tasks', 'delete', '--force', id], { timeoutSeconds: 20 }).catch(() => {});
      }
      const left = await list(ctx, 'tasks');
      if (left.length > 0) throw new Error(`${left.length} containers could not be ended: ${left.join(', ')}`);
    });
  }
  await unmount((path) => namespaces.has(path));
  for (const path of namespaces) rmSync(path, { force: true });
}

/** Unmounts all that is mounted below the folders: volumes of pods, root file systems. */
export function unmountBelow(folders: readonly string[]): Promise<void> {
  return unmount((path) => folders.some((folder) => path.startsWith(`${folder}/`)));
}

async function list(ctx: Context, kind: 'tasks' | 'containers'): Promise<string[]> {
  return (await ctr(ctx, [kind, 'list', '--quiet'], { timeoutSeconds: 20 })).split('\n').filter(Boolean);
}

/** The files that CNI keeps the pods' network namespaces open with; their ends of the cables go with them. */
async function networkNamespaces(ctx: Context): Promise<Set<string>> {
  const paths = new Set<string>();
  for (const id of await list(ctx, 'containers')) {
    const info = JSON.parse(await ctr(ctx, ['containers', 'info', id])) as {
      Spec?: { linux?: { namespaces?: { type: string; path?: string }[] } };
    };
    for (const { type, path } of info.Spec?.linux?.namespaces ?? []) {
      if (type === 'network' && path?.includes('/netns/cni-')) paths.add(path.replace(/^\/var\/run\//, '/run/'));
    }
  }
  return paths;
}

async function unmount(chosen: (path: string) => boolean): Promise<void> {
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((path) => path.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
    .filter(chosen);
  // Deepest first: what is mounted inside another mount goes before it.
  for (const path of mounted.reverse()) await run('umount', ['--lazy', path]);
}
