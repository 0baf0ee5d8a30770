import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Context, findGo, run } from '@millwright/local';
import type { Core } from '@millwright/native-wasm';
import type { Cleanup } from '../cleanup.ts';

/** Pinned, with their sums, by the go.mod that the Kubernetes tools are built from. */
const MODULES = [
  'kubernetes',
  'api',
  'apiextensions-apiserver',
  'apimachinery',
  'apiserver',
  'client-go',
  'kubectl',
].map((name) => `k8s.io/${name}`);
const MODULES_IN = 'local/tools/kubernetes';

export interface SourceFile {
  /** Below the folder of the tree. */
  path: string;
  contents: Uint8Array;
}

/** A tree of source files, in memory and on the disk. */
export interface Corpus {
  folder: string;
  files: readonly SourceFile[];
  bytes: number;
}

/** The same files in batches of about so many bytes: what is handed to the core at once. */
export function* batches(files: readonly SourceFile[], most: number): Generator<readonly SourceFile[]> {
  let batch: SourceFile[] = [];
  let bytes = 0;
  for (const file of files) {
    batch.push(file);
    bytes += file.contents.length;
    if (bytes >= most) {
      yield batch;
      batch = [];
      bytes = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

/** Files in the order in which they come, until they have so many bytes together. */
export function upTo(files: Iterable<SourceFile>, bytes: number): { files: SourceFile[]; bytes: number } {
  const taken = { files: [] as SourceFile[], bytes: 0 };
  for (const file of files) {
    if (taken.bytes >= bytes) break;
    taken.files.push(file);
    taken.bytes += file.contents.length;
  }
  return taken;
}

/** Takes Go files of Kubernetes that the core searches, in sorted order, and copies them into a folder for the peers that read a tree. It is removed at the end. */
export async function openCorpus(ctx: Context, cleanup: Cleanup, core: Core, bytes: number): Promise<Corpus> {
  const found = upTo(searchable(core, await moduleFolders(ctx)), bytes);
  if (found.bytes < bytes)
    throw new Error(
      `${MODULES.join(', ')} have only ${found.bytes} bytes of Go files, not ${bytes}: add modules to ${import.meta.filename}`,
    );
  const folder = join(ctx.dataDir('bench'), `corpus-${process.pid}`);
  cleanup.add(async () => rmSync(folder, { recursive: true, force: true }));
  for (const { path, contents } of found.files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents);
  }
  return { folder, ...found };
}

async function moduleFolders(ctx: Context): Promise<Map<string, string>> {
  const output = await run(findGo(), ['mod', 'download', '-json', ...MODULES], {
    cwd: join(ctx.repository, MODULES_IN),
    env: { GOWORK: 'off', GOFLAGS: '' },
    log: ctx.logFile('bench-core'),
  });
  const objects = output.trim().split(/(?<=^\})\n/m);
  return new Map(
    objects.map((json) => {
      const { Path, Dir } = JSON.parse(json) as { Path: string; Dir: string };
      return [Path, Dir];
    }),
  );
}

function* searchable(core: Core, folders: ReadonlyMap<string, string>): Generator<SourceFile> {
  for (const [module, folder] of folders) {
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.go') && statSync(join(folder, path)).isFile())
      .sort();
    const files = paths.map((path) => ({ path: join(module, path), contents: readFileSync(join(folder, path)) }));
    using index = core.createIndex();
    const skipped = index.put(files);
    yield* files.filter((_, file) => skipped[file] === undefined);
  }
}
