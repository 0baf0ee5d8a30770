import { type Core, createCore } from './core.ts';
import { wasmFile } from './simd.ts';

export * from './api.ts';

let core: Promise<Core> | undefined;

/** The core of this page or worker, loaded at the first call from the folder `generated` beside this module. */
export function loadCore(): Promise<Core> {
  core ??= load();
  return core;
}

async function load(): Promise<Core> {
  const url = new URL(`./generated/${wasmFile()}`, import.meta.url);
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`${url.href}: HTTP ${response.status}: serve the folder "generated" beside the module`);
  return createCore(await WebAssembly.compile(new Uint8Array(await response.arrayBuffer())));
}
