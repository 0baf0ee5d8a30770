import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { isFresh, remember } from './freshness.ts';

/** One process of Millwright, or a thread of one: the file that starts it becomes `/app/<name>.js` in its image. */
export interface Bundle {
  readonly image: ProductImage;
  readonly name: string;
  /** Relative to the repository. */
  readonly entry: string;
}

/** The images of the product, named after the folders that hold their Containerfiles. */
export const productImages = ['operator', 'gateway', 'agents'] as const;
export type ProductImage = (typeof productImages)[number];

export const bundles: readonly Bundle[] = [
  { image: 'operator', name: 'operator', entry: 'operator/src/main.ts' },
  { image: 'gateway', name: 'gateway', entry: 'gateway/src/gateway/main.ts' },
  { image: 'gateway', name: 'recorder', entry: 'gateway/src/recorder/main.ts' },
  { image: 'gateway', name: 'publisher', entry: 'gateway/src/publisher/main.ts' },
  { image: 'gateway', name: 'git', entry: 'gateway/src/git/main.ts' },
  // A thread of the two before it.
  { image: 'gateway', name: 'fence-worker', entry: 'gateway/src/fence/fence-worker.ts' },
  { image: 'gateway', name: 'migrate', entry: 'supabase/src/migrate-main.ts' },
  { image: 'agents', name: 'agent', entry: 'agents/src/main.ts' },
];

/**
 * What esbuild leaves to Node: CommonJS dependencies ask for Node's own modules by `require`, which ES modules do not have. A bundled
 * module may declare `createRequire` itself.
 */
const requireForCommonJs =
  "import { createRequire as requireOfBundle } from 'node:module';\nconst require = requireOfBundle(import.meta.url);";

/**
 * Leaves dependencies out of the source maps but for the first place of each file. Node keeps the whole map of a file for good, some hundred bytes a place,
 * once it has shown a trace through that file: those of the operator's dependencies would be 30 MB, a third of them hours after the start.
 */
const mapsOfSourcesOnly: Plugin = {
  name: 'maps-of-sources-only',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/].*\.[cm]?js$/ }, async ({ path }) => {
      // With fewer places than one esbuild takes it for no map at all.
      const map = JSON.stringify({ version: 3, sources: [basename(path)], mappings: 'AAAA' });
      const comment = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`;
      return { contents: `${await readFile(path, 'utf8')}\n${comment}` };
    });
  },
};

/**
 * Bundles every process into one ES module with a source map (and one more for each dynamic import), and puts what its image needs
 * beside it, in `<image>/dist`. An image then holds a few files instead of a tree of packages, and a process starts by reading one.
 * Nothing is done when no source has changed since the last time.
 *
 * @throws esbuild's BuildFailure, which names each unresolved import.
 */
export async function bundleProcesses(repository: string): Promise<void> {
  for (const image of productImages) {
    const outputs = bundles.filter((bundle) => bundle.image === image).map(({ name }) => `${image}/dist/${name}.js`);
    const builds = coreUsers.has(image) ? coreBuilds : [];
    outputs.push(...builds.map((file) => `${image}/dist/generated/${file}`));
    if (isFresh(repository, image, recipe, outputs)) continue;
    const inputs = await bundleImage(repository, image);
    inputs.push(...copyCore(repository, image, builds));
    if (image === 'gateway') inputs.push(...copyMigrations(repository));
    remember(repository, image, recipe, inputs);
  }
}

/** Images with processes that load the core, and the builds of it, of which an engine takes one. */
const coreUsers: ReadonlySet<ProductImage> = new Set(['gateway', 'agents']);
const coreBuilds = ['core-simd.wasm', 'core-scalar.wasm'] as const;

/** Whatever changes here changes the bundles: this file and the versions of what it uses. */
const recipe = [fileURLToPath(import.meta.url), 'package-lock.json'];

/** Returns the files that went into the bundles, relative to the repository. */
async function bundleImage(repository: string, image: ProductImage): Promise<string[]> {
  const dist = join(repository, image, 'dist');
  mkdirSync(dist, { recursive: true });
  const inputs: string[] = [];
  const outputs = new Set<string>();
  for (const { name, entry } of bundles.filter((bundle) => bundle.image === image)) {
    const { metafile } = await build({
      absWorkingDir: repository,
      entryPoints: { [name]: join(repository, entry) },
      outdir: dist,
      bundle: true,
      // What a process imports only when it needs it gets a file of its own, and costs nothing until then.
      splitting: true,
      chunkNames: '[name]-[hash]',
      metafile: true,
      platform: 'node',
      format: 'esm',
      target: 'node24',
      banner: { js: requireForCommonJs },
      define: { 'process.env.NODE_ENV': '"production"' },
      // A native accelerator that pg uses when it is there.
      external: ['pg-native'],
      // A third less to read at the start; source maps give traces their lines back.
      minifyWhitespace: true,
      legalComments: 'none',
      sourcemap: 'linked',
      sourcesContent: false,
      plugins: [mapsOfSourcesOnly],
      logLevel: 'silent',
    });
    inputs.push(...Object.keys(metafile.inputs));
    for (const output of Object.keys(metafile.outputs)) outputs.add(basename(output));
  }
  removeStale(dist, outputs);
  return inputs;
}

/** Puts the builds of the core where the loader looks: in the folder `generated` beside the module. Returns what it copied. */
function copyCore(repository: string, image: ProductImage, builds: readonly string[]): string[] {
  const target = join(repository, image, 'dist/generated');
  rmSync(target, { recursive: true, force: true });
  if (builds.length === 0) return [];
  mkdirSync(target, { recursive: true });
  const sources = builds.map((file) => `native-wasm/src/generated/${file}`);
  for (const source of sources) copyFileSync(join(repository, source), join(target, basename(source)));
  return sources;
}

/** Returns what it copied, the folder included: its time changes when a file comes or goes. */
function copyMigrations(repository: string): string[] {
  const target = join(repository, 'gateway/dist/supabase');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  cpSync(join(repository, 'supabase/migrations'), join(target, 'migrations'), { recursive: true });
  copyFileSync(join(repository, 'supabase/plain-postgres.sql'), join(target, 'plain-postgres.sql'));
  const migrations = readdirSync(join(repository, 'supabase/migrations')).map((file) => `supabase/migrations/${file}`);
  return ['supabase/migrations', 'supabase/plain-postgres.sql', ...migrations];
}

/** What no process has any more must not stay in the image. */
function removeStale(dist: string, expected: ReadonlySet<string>): void {
  for (const file of readdirSync(dist)) {
    if (/\.js(\.map)?$/.test(file) && !expected.has(file)) rmSync(join(dist, file));
  }
}
