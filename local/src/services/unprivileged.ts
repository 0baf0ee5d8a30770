import { chmod, chown, mkdir } from 'node:fs/promises';
import { run } from '../process/run.ts';
import type { Launch } from '../service.ts';

/** An account that a daemon runs as instead of root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Exists on every Linux, so nothing has to be added to the machine. */
export const nobody: Account = { uid: 65_534, gid: 65_534 };

/** Looks up an account that a Debian package has made. */
export async function account(name: string): Promise<Account> {
  const id = async (flag: string) => Number((await run('id', [flag, name])).trim());
  return { uid: await id('-u'), gid: await id('-g') };
}

/**
 * Makes a command run as `who` when the caller is root, and leaves it alone otherwise.
 *
 * The one capability it keeps lets it read and traverse like root: the repository and the cache may lie below a home directory that
 * is closed to others. It cannot write anywhere but in folders that belong to it.
 */
export function unprivileged(who: Account, launch: Launch): Launch {
  if (process.getuid?.() !== 0) return launch;
  const { command, args, ...rest } = launch;
  return {
    ...rest,
    command: 'setpriv',
    args: [
      `--reuid=${who.uid}`,
      `--regid=${who.gid}`,
      '--clear-groups',
      '--no-new-privs',
      // Otherwise access(2) answers as if the capability were not there.
      '--securebits=+no_setuid_fixup',
      '--inh-caps=-all,+dac_read_search',
      '--ambient-caps=-all,+dac_read_search',
      '--bounding-set=-all,+dac_read_search',
      command,
      ...args,
    ],
  };
}

/** Makes a folder (mode 700) that `who` owns. */
export async function ownedFolder(who: Account, path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o700);
  if (process.getuid?.() === 0) await chown(path, who.uid, who.gid);
  return path;
}
