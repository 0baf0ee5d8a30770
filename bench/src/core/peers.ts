import { join } from 'node:path';
import { type Context, cargoTool, createToolBuilder, ensurePackages, MissingRequirement, run } from '@millwright/local';
import type { Cleanup } from '../cleanup.ts';
import { type LineProcess, startLineProcess } from './line-process.ts';

/** What the core is compared with, built and installed. */
export interface Peers {
  /** The core compiled natively; see `native-wasm/peers`. */
  native: LineProcess;
  /** Paths of commands. */
  ripgrep: string;
  ctags: string;
  git: string;
  /** Starts gitleaks over the files that a file lists; see `bench/gitleaks`. */
  gitleaks(list: string): LineProcess;
}

/**
 * Gets the peers: from caches, except the first time.
 *
 * @throws MissingRequirement, Error that name what is missing or where the log is
 */
export async function openPeers(ctx: Context, cleanup: Cleanup): Promise<Peers> {
  await ensurePackages(ctx, ['universal-ctags', 'git']);
  const native = await buildNative(ctx);
  const ripgrep = await cargoTool(ctx, 'ripgrep');
  await createToolBuilder(ctx, new Set(['gitleaks-scan']))('gitleaks-scan');
  const start = (command: string, args: readonly string[], env?: Readonly<Record<string, string>>): LineProcess => {
    const child = startLineProcess(command, args, env);
    cleanup.add(() => child[Symbol.asyncDispose]());
    return child;
  };
  return {
    native: start(native, []),
    ripgrep,
    ctags: 'ctags-universal',
    git: 'git',
    // On one core, as the core is.
    gitleaks: (list) => start(ctx.tool('gitleaks-scan'), [list], { GOMAXPROCS: '1' }),
  };
}

/** Cargo knows what has changed, so it is always asked. */
async function buildNative(ctx: Context): Promise<string> {
  const folder = join(ctx.repository, 'native-wasm/peers');
  const log = ctx.logFile('build-native-peer');
  await run('cargo', ['--version'], { cwd: folder }).catch((error: unknown) => {
    throw new MissingRequirement(`Rust is missing: install rustup from https://rustup.rs/\n${String(error)}`);
  });
  await ctx.step(
    'Building the core natively',
    async (report) => {
      try {
        await run('cargo', ['build', '--release', '--locked'], {
          cwd: folder,
          log,
          onLine: (line) => report(undefined, line.trim()),
        });
      } catch (error) {
        throw new Error(
          `Building native-wasm/peers failed; the log is ${log}. Likely remedy: check that cargo reaches its registry.\n${String(error)}`,
        );
      }
    },
    60,
  );
  return join(folder, 'target/release/millwright-core-peers');
}
