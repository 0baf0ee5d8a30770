import { startAgents } from '../agents.ts';
import { type Lab, plainName, runBurst, runWorkflow } from '../lab.ts';
import { type Measure, measure } from '../report.ts';
import { chain, fanOut } from '../shapes.ts';
import { percentile } from '../stats.ts';
import type { TemporalPeer } from '../temporal/peer.ts';

/** Millwright and Temporal in turn, doing the same. */
export async function measurePeers(lab: Lab, temporal: TemporalPeer): Promise<Measure[]> {
  await using rig = await lab.openRig();
  await using agents = await startAgents({ rig, cleanup: lab.cleanup });
  const singles = lab.scaled(50);
  const burst = lab.scaled(500);
  const wide = fanOut(lab.scaled(1000));
  const long = chain(lab.scaled(200));
  const perSecond = (count: number) => (ms: number) => count / (ms / 1000);
  const contests: Contest[] = [
    {
      name: 'one-task Workflow, p50',
      unit: 'ms',
      target: undefined,
      ours: async (round) => {
        const times: number[] = [];
        for (let i = 0; i < singles; i++)
          times.push(await runWorkflow(rig, agents, `s${round}x${i}`, { tasks: [{ name: 'a' }] }));
        return percentile(times, 50);
      },
      theirs: async () => {
        const times: number[] = [];
        for (let i = 0; i < singles; i++) times.push(await temporal.one());
        return percentile(times, 50);
      },
    },
    {
      name: `${burst} one-task Workflows at once`,
      unit: 'Workflows/s',
      target: { at: 'least', bound: 1.5, of: 'Temporal' },
      ours: (round) => runBurst(rig, agents, `b${round}`, burst).then(perSecond(burst)),
      theirs: () => temporal.burst(burst).then(perSecond(burst)),
    },
    {
      name: `${wide.name}: throughput`,
      unit: 'tasks/s',
      target: { at: 'least', bound: 1.5, of: 'Temporal' },
      ours: (round) => runWorkflow(rig, agents, `f${round}`, wide).then(perSecond(wide.tasks.length)),
      theirs: () => temporal.fanOut(wide.tasks.length).then(perSecond(wide.tasks.length)),
    },
    {
      name: `${long.name}: time per step`,
      unit: 'ms',
      target: { at: 'most', bound: 0.6, of: 'Temporal' },
      ours: async (round) => (await runWorkflow(rig, agents, `c${round}`, long)) / long.tasks.length,
      theirs: async () => (await temporal.chain(long.tasks.length)) / long.tasks.length,
    },
  ];
  const runs = contests.map(() => ({ ours: [] as number[], theirs: [] as number[] }));
  // Both run code that is not yet compiled otherwise.
  for (const shape of [fanOut(100), chain(20)])
    await runWorkflow(rig, agents, plainName(`warmup ${shape.name}`), shape);
  await temporal.fanOut(100);
  await temporal.chain(20);
  let done = 0;
  for (let round = 0; round < lab.rounds; round++) {
    for (const [index, contest] of contests.entries()) {
      runs[index]?.theirs.push(await contest.theirs());
      runs[index]?.ours.push(await contest.ours(round));
      await rig.clear();
      lab.report(++done / (lab.rounds * contests.length));
    }
  }
  return contests.map(({ name, unit, target }, index) =>
    measure(`${name}, beside Temporal`, unit, runs[index]?.ours ?? [], target, runs[index]?.theirs),
  );
}

interface Contest {
  name: string;
  unit: string;
  target: Parameters<typeof measure>[3];
  ours: (round: number) => Promise<number>;
  theirs: () => Promise<number>;
}
