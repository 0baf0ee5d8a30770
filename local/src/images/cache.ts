import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../service.ts';

/** Results that nobody asked for during this many days are deleted when a newer one of the same name is made. */
const keepDays = 7;

/** The folder of everything the images are made of; outside the repository, kept over a reset. */
export function imagesDir(ctx: Context): string {
  const folder = join(ctx.cacheDir, 'images');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * Returns the path of the file or folder `<name>-<key><suffix>`, making it first when it is not there. `make` gets a path of its own
 * to write to; what it leaves there appears under the final name at once, or not at all when it throws.
 */
export async function cached(
  ctx: Context,
  { name, key, suffix = '' }: { readonly name: string; readonly key: string; readonly suffix?: string },
  make: (path: string) => Promise<void>,
): Promise<string> {
  const folder = imagesDir(ctx);
  const path = join(folder, `${name}-${key}${suffix}`);
  if (!existsSync(path)) {
    const temporary = join(folder, `.${name}-${key}.${process.pid}`);
    try {
      rmSync(temporary, { recursive: true, force: true });
      await make(temporary);
      // Another process may have made the same thing meanwhile; a folder cannot replace it and need not.
      if (!existsSync(path)) renameSync(temporary, path);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
    removeUnused(folder, name, path);
  }
  const now = new Date();
  utimesSync(path, now, now);
  return path;
}

function removeUnused(folder: string, name: string, current: string): void {
  const sameName = new RegExp(`^${name}-[0-9a-f]{12}(\\.|$)`);
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry);
    const days = (Date.now() - statSync(path).mtimeMs) / 86_400_000;
    if (sameName.test(entry) && path !== current && days > keepDays) rmSync(path, { recursive: true, force: true });
  }
}
