import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type RunOptions, run } from './process/run.ts';

/**
 * Makes sure that the toolchain of a folder has a target's standard library; rustup does not do that by itself for a toolchain that is installed.
 *
 * @param options `cwd`: the folder with the Cargo.toml
 * @returns the folder of the toolchain
 */
export async function ensureRustTarget(target: string, options: RunOptions): Promise<string> {
  const sysroot = (await run('rustc', ['--print', 'sysroot'], options)).trim();
  if (!existsSync(join(sysroot, 'lib/rustlib', target))) await run('rustup', ['target', 'add', target], options);
  return sysroot;
}
