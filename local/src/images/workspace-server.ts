import { chmodSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from '../process/run.ts';
import { ensureRustTarget } from '../rust.ts';
import type { Context } from '../service.ts';
import { cached } from './cache.ts';
import { contentKey, folderKey } from './content-key.ts';
import { imageArchitecture } from './oci-layout.ts';

/** Go's architecture names, which images use, and Rust's targets for static binaries. */
const targets: Readonly<Record<string, string>> = {
  amd64: 'x86_64-unknown-linux-musl',
  arm64: 'aarch64-unknown-linux-musl',
};

/**
 * Compiles the exec server as a static binary and puts it at `agents/dist/workspace-server-<architecture>`, where agents/Containerfile
 * takes it from. The source is compiled once; afterwards the cache has it.
 */
export async function buildWorkspaceServer(ctx: Context, architecture: string = imageArchitecture()): Promise<void> {
  const target = targets[architecture];
  if (!target)
    throw new Error(`there is no Rust target for ${architecture}: choose one of ${Object.keys(targets).join(', ')}`);
  const crate = join(ctx.repository, 'agents/workspace');
  const manifests = ['Cargo.toml', 'Cargo.lock'].map((file) => readFileSync(join(crate, file), 'utf8'));
  const key = contentKey(target, ...manifests, folderKey(join(crate, 'src')));
  const binary = await cached(ctx, { name: `workspace-server-${architecture}`, key }, (file) =>
    ctx.step(
      'Compiling the exec server',
      (report) => compile(ctx, crate, target, file, (line) => report(undefined, line)),
      40,
    ),
  );
  const dist = join(ctx.repository, 'agents/dist');
  mkdirSync(dist, { recursive: true });
  const copy = join(dist, `workspace-server-${architecture}`);
  copyFileSync(binary, copy);
  chmodSync(copy, 0o755);
}

async function compile(
  ctx: Context,
  crate: string,
  target: string,
  file: string,
  onLine: (line: string) => void,
): Promise<void> {
  const log = ctx.logFile('images');
  const env = {
    // rustup's own folder is in the path of login shells only.
    PATH: [process.env.PATH, join(process.env.HOME ?? '/root', '.cargo/bin')].join(delimiter),
    // Rust's own linker knows every target; the machine's C compiler knows one.
    [`CARGO_TARGET_${target.toUpperCase().replaceAll('-', '_')}_LINKER`]: 'rust-lld',
  };
  await ensureRustTarget(target, { cwd: crate, env, log });
  await run('nice', ['cargo', 'build', '--release', '--locked', '--target', target], { cwd: crate, env, log, onLine });
  copyFileSync(join(crate, 'target', target, 'release/workspace-server'), file);
}
