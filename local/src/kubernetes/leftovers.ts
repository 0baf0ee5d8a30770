import { readFileSync } from 'node:fs';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';

/** Ends every container of the platform's containerd, with its shim. Their objects stay in etcd: the next `up` starts them anew. */
export async function endContainers(ctx: Context, ctr: (args: readonly string[]) => Promise<string>): Promise<void> {
  const containers = (await ctr(['tasks', 'list', '--quiet'])).split('\n').filter(Boolean);
  if (containers.length === 0) return;
  await ctx.step(`Ending ${containers.length} containers`, async (report) => {
    for (const [index, id] of containers.entries()) {
      report(index / containers.length);
      // A container may end by itself meanwhile; what counts is the check after the loop.
      await ctr(['tasks', 'delete', '--force', id]).catch(() => {});
    }
    const left = (await ctr(['tasks', 'list', '--quiet'])).split('\n').filter(Boolean);
    if (left.length > 0) throw new Error(`${left.length} containers could not be ended: ${left.join(', ')}`);
  });
}

/** Unmounts all that is mounted below the folders: volumes of pods, root file systems, network namespaces. */
export async function unmountBelow(folders: readonly string[]): Promise<void> {
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((path) => path.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
    .filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)));
  // Deepest first: what is mounted inside another mount goes before it.
  for (const path of mounted.reverse()) await run('umount', ['--lazy', path]);
}
