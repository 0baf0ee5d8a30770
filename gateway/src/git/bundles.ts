import { link, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { git } from '../shared/git-command.ts';
import type { ProjectKey } from '../shared/project-key.ts';

/**
 * What a mirror has that the forge has not, on a folder of its own: the pinned base of each Workflow, and each attempt's commits.
 *
 *     <folder>/<namespace>/<project>/workflows/<workflow uid>           the commit, as text
 *     <folder>/<namespace>/<project>/attempts/<task uid>/<attempt>      a bundle, or `<commit>` when it has nothing of its own
 *
 * A file's modification time says when it was last used.
 */
export interface Bundles {
  /** Writes the pin unless there is one; returns the commit that is pinned. */
  pin(key: ProjectKey, workflow: string, commit: string): Promise<string>;
  pinned(key: ProjectKey, workflow: string): Promise<string | undefined>;
  /** Keeps the commits of an attempt's ref. */
  save(key: ProjectKey, mirror: string, task: string, attempt: number): Promise<void>;
  /** Brings back all pins and attempts into a mirror that was just fetched; returns what could not be brought back. */
  restore(key: ProjectKey, mirror: string): Promise<string[]>;
  /** Forgets what was not used since `before` (milliseconds); returns the refs. */
  expire(key: ProjectKey, before: number): Promise<string[]>;
  projects(): Promise<ProjectKey[]>;
  /** Removes the folder of a Project that has neither pins nor attempts any more, and says whether it did. */
  forget(key: ProjectKey): Promise<boolean>;
}

export const attemptRef = (task: string, attempt: number | string): string => `refs/attempts/${task}/${attempt}`;
export const baseRef = (workflow: string): string => `refs/workflows/${workflow}/base`;

/** A hash and a newline are shorter than this, a bundle is longer. */
const MAX_HASH_FILE = 80;
const DAY_MS = 86_400_000;
const isHash = (text: string): boolean => /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(text);

async function list(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A reader sees the whole file or none; a name that starts with a dot is never listed. */
async function writeWhole(file: string, write: (temporary: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = join(dirname(file), `.${crypto.randomUUID()}`);
  try {
    await write(temporary);
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

export function createBundles(folder: string): Bundles {
  const of = ({ namespace, project }: ProjectKey) => join(folder, namespace, project);
  const pinFile = (key: ProjectKey, workflow: string) => join(of(key), 'workflows', workflow);

  const attempts = async (key: ProjectKey) => {
    const root = join(of(key), 'attempts');
    const tasks = await list(root);
    const files = await Promise.all(
      tasks.map(async (task) =>
        (await list(join(root, task))).map((attempt) => ({
          ref: attemptRef(task, attempt),
          file: join(root, task, attempt),
        })),
      ),
    );
    return files.flat();
  };
  const pins = async (key: ProjectKey) =>
    (await list(join(of(key), 'workflows'))).map((uid) => ({ ref: baseRef(uid), file: pinFile(key, uid) }));

  const setRef = async (mirror: string, ref: string, commit: string | undefined) => {
    if (!commit || !isHash(commit)) throw new Error('the kept file is damaged');
    await git(['update-ref', ref, commit], { cwd: mirror });
  };
  const restoreAttempt = async (mirror: string, ref: string, file: string) => {
    const bundled = (await stat(file)).size > MAX_HASH_FILE;
    if (!bundled) return setRef(mirror, ref, await textOf(file));
    await git(['bundle', 'unbundle', file], { cwd: mirror });
    await setRef(mirror, ref, (await git(['bundle', 'list-heads', file, ref], { cwd: mirror })).split(' ')[0]);
  };

  return {
    pin: async (key, workflow, commit) => {
      const file = pinFile(key, workflow);
      await mkdir(dirname(file), { recursive: true });
      const temporary = join(dirname(file), `.${crypto.randomUUID()}`);
      try {
        await writeFile(temporary, `${commit}\n`, { flush: true });
        // Unlike a rename, a link fails where there is a pin; unlike an exclusive open, it is never seen empty.
        await link(temporary, file);
        return commit;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const there = await textOf(file);
        if (there && isHash(there)) return there;
        throw new Error(`${file} holds no commit: remove it, or put the one there that the Workflow started from`);
      } finally {
        await rm(temporary, { force: true });
      }
    },
    pinned: async (key, workflow) => {
      const file = pinFile(key, workflow);
      const commit = await textOf(file);
      if (!commit || !isHash(commit)) return undefined;
      const now = Date.now();
      if ((await stat(file)).mtimeMs < now - DAY_MS) await utimes(file, now / 1000, now / 1000);
      return commit;
    },
    save: async (key, mirror, task, attempt) => {
      const ref = attemptRef(task, attempt);
      const own = await git(['rev-list', '--max-count=1', ref, '--not', '--branches', '--tags'], { cwd: mirror });
      await writeWhole(join(of(key), 'attempts', task, String(attempt)), async (temporary) => {
        if (own.trim() === '') await writeFile(temporary, await git(['rev-parse', '--verify', ref], { cwd: mirror }));
        else
          await git(['bundle', 'create', '--quiet', temporary, ref, '--not', '--branches', '--tags'], { cwd: mirror });
      });
    },
    restore: async (key, mirror) => {
      const lost: string[] = [];
      const attempt = async (ref: string, work: () => Promise<unknown>) => {
        try {
          await work();
        } catch (error) {
          lost.push(`${ref}: ${error instanceof Error ? error.message : String(error)}`);
        }
      };
      for (const { ref, file } of await attempts(key)) await attempt(ref, () => restoreAttempt(mirror, ref, file));
      for (const { ref, file } of await pins(key))
        await attempt(ref, async () => setRef(mirror, ref, await textOf(file)));
      return lost;
    },
    expire: async (key, before) => {
      const expired: string[] = [];
      for (const { ref, file } of [...(await attempts(key)), ...(await pins(key))]) {
        if ((await stat(file)).mtimeMs >= before) continue;
        await rm(file, { force: true });
        expired.push(ref);
      }
      return expired;
    },
    projects: async () => {
      const found = await Promise.all(
        (await list(folder)).map(async (namespace) =>
          (await list(join(folder, namespace))).map((project) => ({ namespace, project })),
        ),
      );
      return found.flat();
    },
    forget: async (key) => {
      if ((await attempts(key)).length + (await pins(key)).length > 0) return false;
      await rm(of(key), { recursive: true, force: true });
      return true;
    },
  };
}
