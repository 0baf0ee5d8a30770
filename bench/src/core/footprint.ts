import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type Measure, measure } from '../report.ts';
import { median } from '../stats.ts';
import { runTimed } from './command.ts';
import type { Work } from './work.ts';

/** Fresh processes in each round. */
const PROCESSES = 20;

/** Size of both builds, and how long a fresh process takes to its first answer. */
export async function measureFootprint({ rounds }: Work, report: (fraction: number) => void): Promise<Measure[]> {
  const sizes = ['simd', 'scalar'].map((build) => {
    const file = new URL(`../../../native-wasm/src/generated/core-${build}.wasm`, import.meta.url);
    const kilobytes = gzipSync(readFileSync(file), { level: 9 }).length / 1000;
    return measure(`size of the WASM (${build}), gzipped`, 'KB', [kilobytes], { at: 'most', bound: 600 });
  });
  const script = { command: process.execPath, args: [`${import.meta.dirname}/first-call.ts`], cwd: '/' };
  const loads: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const times: number[] = [];
    for (let i = 0; i < PROCESSES; i++) times.push(Number((await runTimed(script)).output.toString('latin1')));
    loads.push(median(times));
    report((round + 1) / rounds);
  }
  return [...sizes, measure('load and first call in a fresh process', 'ms', loads, { at: 'most', bound: 20 })];
}
