import { startAgents, type TaskName } from '../agents.ts';
import type { Lab } from '../lab.ts';
import { type Measure, measure } from '../report.ts';
import { percentile } from '../stats.ts';

const key = ({ workflow, task }: TaskName) => `${workflow}/${task}`;

/** Latency of one task at a time on an idle system: apply → delivery, and end of a task → delivery of its dependant. */
export async function measureDispatch(lab: Lab): Promise<Measure[]> {
  const { rounds, cleanup } = lab;
  const perRound = lab.scaled(100);
  await using rig = await lab.openRig();
  await using floor = await lab.openFloor(rig, 1);
  const delivered = new Map<string, PromiseWithResolvers<number>>();
  const ended = new Map<string, number>();
  await using _agents = await startAgents({
    rig,
    cleanup,
    onDelivery: (name, at) => delivered.get(key(name))?.resolve(at),
    onResult: (name, at) => ended.set(key(name), at),
  });
  const delivery = (workflow: string, task: string) => {
    const promise = Promise.withResolvers<number>();
    delivered.set(key({ workflow, task }), promise);
    return rig.within(30_000, `${workflow}/${task} was not delivered`, promise.promise);
  };

  async function applyToDelivery(workflow: string): Promise<number> {
    const first = delivery(workflow, 'a');
    const start = performance.now();
    await rig.apply(workflow, [{ name: 'a' }]);
    const at = await first;
    await rig.succeeded(workflow, 30_000);
    return at - start;
  }

  async function endToDelivery(workflow: string): Promise<number> {
    const second = delivery(workflow, 'b');
    await rig.apply(workflow, [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }]);
    const at = await second;
    await rig.succeeded(workflow, 30_000);
    return at - (ended.get(key({ workflow, task: 'a' })) ?? at);
  }

  const runs = {
    apply: [] as number[][],
    end: [] as number[][],
    floorApply: [] as number[][],
    floorEnd: [] as number[][],
  };
  await repeat(10, () => floor.applyToDelivery());
  await repeat(10, (i) => endToDelivery(`warmup${i}`));
  for (let round = 0; round < rounds; round++) {
    runs.floorApply.push(await repeat(perRound, () => floor.applyToDelivery()));
    runs.apply.push(await repeat(perRound, (i) => applyToDelivery(`a${round}x${i}`)));
    lab.report((round + 0.5) / rounds);
    runs.floorEnd.push(await repeat(perRound, () => floor.endToDelivery()));
    runs.end.push(await repeat(perRound, (i) => endToDelivery(`c${round}x${i}`)));
    lab.report((round + 1) / rounds);
  }
  const at = (p: number) => (values: number[]) => percentile(values, p);
  const most = (bound: number) => ({ at: 'most', bound, of: 'floor' }) as const;
  return [
    measure('apply → delivery, p50', 'ms', runs.apply.map(at(50)), most(1.5), runs.floorApply.map(at(50))),
    measure('apply → delivery, p99', 'ms', runs.apply.map(at(99)), most(2), runs.floorApply.map(at(99))),
    measure(
      'end of a task → delivery of its dependant, p50',
      'ms',
      runs.end.map(at(50)),
      most(1.5),
      runs.floorEnd.map(at(50)),
    ),
  ];
}

async function repeat(count: number, run: (index: number) => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let index = 0; index < count; index++) values.push(await run(index));
  return values;
}
