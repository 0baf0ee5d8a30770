import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { type Measure, measure } from '../report.ts';
import { median } from '../stats.ts';
import { runTimed } from './command.ts';
import type { Work } from './work.ts';

/** Fresh processes in each round. */
const PROCESSES = 20;

const generated = fileURLToPath(new URL('../../../native-wasm/src/generated', import.meta.url));

/** Size of both builds, and how long a fresh process takes to its first answer. */
export async function measureFootprint({ rounds }: Work, report: (fraction: number) => void): Promise<Measure[]> {
  const sizes = ['simd', 'scalar'].map((name) => {
    const kilobytes = gzipSync(readFileSync(join(generated, `core-${name}.wasm`)), { level: 9 }).length / 1000;
    return measure(`size of the WASM (${name}), gzipped`, 'KB', [kilobytes], { at: 'most', bound: 600 });
  });
  const loads: number[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'millwright-first-call-'));
  try {
    const script = { command: process.execPath, args: [await bundled(folder)], cwd: '/' };
    for (let round = 0; round < rounds; round++) {
      const times: number[] = [];
      for (let i = 0; i < PROCESSES; i++) times.push(Number((await runTimed(script)).output.toString('latin1')));
      loads.push(median(times));
      report((round + 1) / rounds);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return [...sizes, measure('load and first call in a fresh process', 'ms', loads, { at: 'most', bound: 20 })];
}

/** As images have it: from TypeScript, Node would still be busy with what strips the types. */
async function bundled(folder: string): Promise<string> {
  const outfile = join(folder, 'first-call.mjs');
  const entryPoints = [join(import.meta.dirname, 'first-call.ts')];
  await build({ entryPoints, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'silent' });
  cpSync(generated, join(folder, 'generated'), { recursive: true });
  return outfile;
}
