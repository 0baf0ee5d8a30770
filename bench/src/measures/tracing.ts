import { startAgents } from '../agents.ts';
import { type Lab, runWorkflow } from '../lab.ts';
import { processorMs } from '../process-stats.ts';
import { type Measure, measure } from '../report.ts';
import { fanOut } from '../shapes.ts';

/** Pairs per round: a few per cent are less than what single runs differ by. */
const PAIRS = 2;

/** Throughput of a fan-out with an operator that exports traces, against one that does not. */
export async function measureTracing(lab: Lab): Promise<Measure[]> {
  await using off = await lab.openRig();
  await using on = await lab.openRig({ tracing: true });
  await using offAgents = await startAgents({ rig: off, cleanup: lab.cleanup });
  await using onAgents = await startAgents({ rig: on, cleanup: lab.cleanup });
  const shape = fanOut(lab.scaled(1000));
  const sides = [
    { rig: off, agents: offAgents, runs: [] as number[], processor: [] as number[] },
    { rig: on, agents: onAgents, runs: [] as number[], processor: [] as number[] },
  ];
  const count = shape.tasks.length;
  const pairs = PAIRS * lab.rounds;
  // A fresh process runs code that is not yet compiled.
  for (const { rig, agents } of sides) await runWorkflow(rig, agents, 'warmup', fanOut(lab.scaled(300)));
  for (let pair = 0; pair < pairs; pair++) {
    // The one that goes first changes, since the machine itself gets slower or faster.
    for (const { rig, agents, runs, processor } of pair % 2 === 0 ? sides : sides.toReversed()) {
      const before = processorMs(rig.operator.pid);
      runs.push(count / ((await runWorkflow(rig, agents, `f${pair}`, shape)) / 1000));
      processor.push((processorMs(rig.operator.pid) - before) / count);
      await rig.clear();
    }
    lab.report((pair + 1) / pairs);
  }
  const [without, traced] = sides;
  const target = { at: 'least', bound: 0.97, of: 'without' } as const;
  return [
    measure(`${shape.name} with tracing`, 'tasks/s', traced?.runs ?? [], target, without?.runs),
    measure(
      'operator processor time with tracing',
      'ms per task',
      traced?.processor ?? [],
      undefined,
      without?.processor,
    ),
  ];
}
