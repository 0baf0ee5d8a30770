import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { createContext } from '../context.ts';
import { CommandError, run } from '../process/run.ts';
import { ensureRustTarget } from '../rust.ts';
import type { Context } from '../service.ts';
import { cargoTool } from './cargo-tools.ts';

/** The two builds of the core. A module with one SIMD instruction is refused where they are missing, so which one to load is decided before. */
const builds = [
  { name: 'simd', simd: true },
  { name: 'scalar', simd: false },
] as const;

/** What Rust assumes of every WebAssembly engine; wasm-opt has to be told. */
const features = [
  'bulk-memory',
  'nontrapping-float-to-int',
  'sign-ext',
  'mutable-globals',
  'reference-types',
  'multivalue',
];

const TARGET = 'wasm32-unknown-unknown';

/** Beyond 2 GiB a stack that runs over would wrap round to the top of the memory instead of ending the call. */
const MAX_MEMORY_BYTES = 2 ** 31;

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } });
if (values.help)
  console.log(
    'Usage: npm run wasm\n\nBuilds native-wasm/ with Rust and writes native-wasm/src/generated, with SIMD and without. Needs rustup.',
  );
// The bytes are the same on every machine of this kind, and on no other: https://github.com/rust-lang/cargo/issues/8140.
else if (process.arch !== 'x64' || process.platform !== 'linux')
  console.log(`What is committed stays: ${process.platform} on ${process.arch} makes other bytes than Linux on x64.`);
else
  await buildAll(createContext()).catch((error: Error) => {
    console.error(error instanceof CommandError ? error.output : error.message);
    process.exitCode = 1;
  });

async function buildAll(ctx: Context): Promise<void> {
  const folder = join(ctx.repository, 'native-wasm');
  const path = [dirname(await cargoTool(ctx, 'wasm-bindgen-cli')), process.env.PATH].join(delimiter);
  const wasmPack = await cargoTool(ctx, 'wasm-pack');
  const sysroot = await ensureRustTarget(TARGET, { cwd: folder });
  // The folder of the registry is named after its address, so it has to be there to be mapped away.
  await run('cargo', ['fetch', '--locked', '--target', TARGET], { cwd: folder });
  const generated = join(folder, 'src/generated');
  mkdirSync(generated, { recursive: true });
  for (const build of builds)
    await ctx.step(
      `Building the core (${build.name})`,
      () => buildOne({ folder, path, wasmPack, sysroot, generated }, build),
      60,
    );
}

interface Toolchain {
  /** The Cargo workspace. */
  folder: string;
  /** Of commands, with wasm-bindgen in it. */
  path: string;
  wasmPack: string;
  sysroot: string;
  /** Where the results go. */
  generated: string;
}

async function buildOne(
  { folder, path, wasmPack, sysroot, generated }: Toolchain,
  { name, simd }: (typeof builds)[number],
) {
  const out = mkdtempSync(join(tmpdir(), 'millwright-core-'));
  try {
    const args = ['--target', 'web', '--mode', 'no-install', '--release', '--no-opt', '--no-pack', '--no-gitignore'];
    await run(wasmPack, ['build', 'wasm', ...args, '--out-dir', out, '--out-name', 'core', '--', '--locked'], {
      cwd: folder,
      env: {
        PATH: path,
        // Beside each other, since their flags differ.
        CARGO_TARGET_DIR: join(folder, 'target', name),
        CARGO_ENCODED_RUSTFLAGS: rustFlags(folder, sysroot, simd).join('\x1f'),
      },
    });
    const wasm = join(out, 'core_bg.wasm');
    const enabled = simd ? [...features, 'simd'] : features;
    const strip = ['--strip-debug', '--strip-producers', '--strip-target-features'];
    await run('wasm-opt', ['-O3', ...enabled.map((each) => `--enable-${each}`), ...strip, wasm, '-o', wasm]);
    copyFileSync(wasm, join(generated, `core-${name}.wasm`));
    for (const file of ['core.js', 'core.d.ts']) keepOne(join(out, file), join(generated, file), simd);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** Paths of this machine would be in the messages of panics. */
function rustFlags(folder: string, sysroot: string, simd: boolean): string[] {
  const registry = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry/src');
  return [
    `--remap-path-prefix=${folder}=`,
    ...readdirSync(registry).map((each) => `--remap-path-prefix=${join(registry, each)}=`),
    `--remap-path-prefix=${sysroot}=`,
    `-Clink-arg=--max-memory=${MAX_MEMORY_BYTES}`,
    ...(simd ? ['-Ctarget-feature=+simd128'] : []),
  ];
}

/** The glue is the same for both builds. */
function keepOne(from: string, to: string, isFirst: boolean): void {
  if (isFirst) copyFileSync(from, to);
  else if (!existsSync(to) || !readFileSync(from).equals(readFileSync(to)))
    throw new Error(`${from} differs between the builds with and without SIMD`);
}
