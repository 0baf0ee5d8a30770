import { startAgents } from '../agents.ts';
import { type Lab, runBurst } from '../lab.ts';
import { type Measure, measure } from '../report.ts';

/** One-task Workflows per second, with all of them applied at once, against what a peer managed on a machine of this kind. */
export async function measureBurst(lab: Lab): Promise<Measure[]> {
  await using rig = await lab.openRig();
  await using agents = await startAgents({ rig, cleanup: lab.cleanup });
  const count = lab.scaled(500);
  const runs: number[] = [];
  for (let round = 0; round < lab.rounds; round++) {
    runs.push(count / ((await runBurst(rig, agents, `b${round}`, count)) / 1000));
    lab.report((round + 1) / lab.rounds);
  }
  return [measure(`${count} one-task Workflows at once`, 'Workflows/s', runs, { at: 'least', bound: 48 })];
}
