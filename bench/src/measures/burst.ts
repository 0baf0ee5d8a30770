import { type Measure, measure } from '../report.ts';
import type { Rig } from '../rig.ts';
import { startAgents } from './throughput.ts';

/** One-task Workflows per second, with all of them applied at once. The peer's figures are given when it ran. */
export async function measureBurst(
  rig: Rig,
  rounds: number,
  count: number,
  peer: readonly number[] | undefined,
): Promise<Measure> {
  const agents = await startAgents(rig);
  const runs: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const names = Array.from({ length: count }, (_, i) => `b${round}x${i}`);
      const start = performance.now();
      await Promise.all(names.map((name) => rig.apply(name, [{ name: 'a' }])));
      await rig.succeeded(names, 300_000);
      runs.push(count / ((performance.now() - start) / 1000));
    }
  } finally {
    await agents.close();
  }
  const name = `${count} one-task Workflows at once`;
  // Without the peer in the same run, its figure on a machine of this kind stands in.
  return peer
    ? measure(name, 'Workflows/s', runs, { at: 'least', bound: 1.5, of: 'Temporal' }, peer)
    : measure(name, 'Workflows/s', runs, { at: 'least', bound: 48 });
}
