import { startAgents } from '../agents.ts';
import { type Lab, plainName, runWorkflow } from '../lab.ts';
import { type Measure, measure } from '../report.ts';
import { chain, diamonds, fanOut, IN_FLIGHT } from '../shapes.ts';
import { callsBetween, mutatingCalls, sum } from '../writes.ts';

/** Tasks per second of large Workflows, and the API writes they cost. */
export async function measureThroughput(lab: Lab): Promise<Measure[]> {
  await using rig = await lab.openRig();
  await using floor = await lab.openFloor(rig, IN_FLIGHT);
  await using agents = await startAgents({ rig, cleanup: lab.cleanup });
  const shapes = [fanOut(lab.scaled(1000)), chain(lab.scaled(200)), diamonds(lab.scaled(50), 19)];
  const measures: Measure[] = [];
  let done = 0;
  for (const shape of shapes) {
    const ours: number[] = [];
    const baseline: number[] = [];
    const writes: number[] = [];
    const breakdown = new Map<string, number>();
    const count = shape.tasks.length;
    for (let round = 0; round < lab.rounds; round++) {
      baseline.push(count / ((await floor.workflow(shape, IN_FLIGHT)) / 1000));
      const before = await mutatingCalls(rig.kube);
      ours.push(count / ((await runWorkflow(rig, agents, `${plainName(shape.name)}r${round}`, shape)) / 1000));
      const calls = callsBetween(before, await mutatingCalls(rig.kube));
      // The apply itself is the user's.
      writes.push((sum(calls) - 1) / count);
      for (const [what, n] of calls) breakdown.set(what, (breakdown.get(what) ?? 0) + n / count / lab.rounds);
      await rig.clear();
      lab.report(++done / (lab.rounds * shapes.length));
    }
    measures.push(
      measure(`${shape.name}: throughput`, 'tasks/s', ours, { at: 'least', bound: 0.6, of: 'floor' }, baseline),
      {
        ...measure(`${shape.name}: API writes`, 'per task', writes, {
          at: 'most',
          bound: shape.name.startsWith('fan-out') ? 3.2 : 4,
        }),
        breakdown: Object.fromEntries([...breakdown].map(([what, n]) => [what, Number(n.toFixed(3))])),
      },
    );
  }
  return measures;
}
