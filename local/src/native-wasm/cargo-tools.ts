import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';
import { removeAbandoned } from '../tools.ts';

interface CargoTool {
  readonly version: string;
  readonly command: string;
  /** With two cores and empty caches. */
  readonly expectedSeconds: number;
}

/** Commands that are built from crates. */
const tools = {
  'wasm-pack': { version: '0.15.1', command: 'wasm-pack', expectedSeconds: 100 },
  // Equal to the version of the crate in native-wasm/wasm/Cargo.toml.
  'wasm-bindgen-cli': { version: '0.2.126', command: 'wasm-bindgen', expectedSeconds: 240 },
  'cargo-fuzz': { version: '0.13.2', command: 'cargo-fuzz', expectedSeconds: 60 },
  // A peer of the benchmarks.
  ripgrep: { version: '15.1.0', command: 'rg', expectedSeconds: 120 },
} as const satisfies Record<string, CargoTool>;

/**
 * Path of a command, which is built when it is not in the cache.
 *
 * @throws Error that names the log and the likely remedy
 */
export async function cargoTool(ctx: Context, name: keyof typeof tools): Promise<string> {
  const { version, command, expectedSeconds } = tools[name];
  const target = join(ctx.cacheDir, 'tools', `${name}-${version}`);
  const path = join(target, 'bin', command);
  if (existsSync(path)) return path;
  const log = ctx.logFile(`build-${name}`);
  const label = `Building ${name} ${version}`;
  await ctx.step(
    label,
    async (report) => {
      const temporary = `${target}.${process.pid}.new`;
      mkdirSync(dirname(target), { recursive: true });
      removeAbandoned(dirname(target), name);
      try {
        await run('cargo', ['install', '--locked', '--root', temporary, '--version', version, name], {
          log,
          onLine: (line) => report(undefined, line.trim()),
        });
        rmSync(target, { recursive: true, force: true });
        renameSync(temporary, target);
      } catch (error) {
        throw new Error(
          `${label} failed; the log is ${log}. Likely remedy: check that cargo reaches its registry and that the disk has room.\n${String(error)}`,
        );
      } finally {
        rmSync(temporary, { recursive: true, force: true });
      }
    },
    expectedSeconds,
  );
  return path;
}
