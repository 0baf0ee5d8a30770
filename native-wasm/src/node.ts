import { readFileSync } from 'node:fs';
import { type Core, createCore } from './core.ts';
import { wasmFile } from './simd.ts';

export * from './api.ts';

let core: Promise<Core> | undefined;

/** The core of this thread, loaded at the first call; at the next one when that failed. */
export function loadCore(): Promise<Core> {
  core ??= load().catch((error: unknown) => {
    core = undefined;
    throw error;
  });
  return core;
}

async function load(): Promise<Core> {
  // Bundles have the folder beside them, as the sources do.
  const file = new URL(`./generated/${wasmFile()}`, import.meta.url);
  // As an import reads: to start the threads of the file system takes longer than to read a megabyte.
  return createCore(await WebAssembly.compile(readFileSync(file)));
}
