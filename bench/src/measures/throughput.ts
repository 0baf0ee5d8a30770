import type { WorkflowTask } from '@millwright/crds';
import { type PlainAgents, startPlainAgents } from '@millwright/operator/testing';
import { startFloor } from '../floor.ts';
import { type Measure, measure } from '../report.ts';
import { IMAGE, POOL, type Rig } from '../rig.ts';
import { mutatingCalls } from '../writes.ts';

export interface ThroughputOptions {
  rig: Rig;
  kubeconfig: string;
  rounds: number;
}

const IN_FLIGHT = 32;

/** A DAG with the figure of how many of its tasks can be at work at once, which is what the floor gets too. */
interface Shape {
  name: string;
  tasks: Partial<WorkflowTask>[];
  width: number;
}

const fanOut = (count: number): Shape => ({
  name: `fan-out of ${count}`,
  tasks: Array.from({ length: count }, (_, i) => ({ name: `t${i}` })),
  width: IN_FLIGHT,
});
const chain = (count: number): Shape => ({
  name: `chain of ${count}`,
  tasks: Array.from({ length: count }, (_, i) => ({ name: `t${i}`, ...(i > 0 ? { dependsOn: [`t${i - 1}`] } : {}) })),
  width: 1,
});
/** Layers of `width` tasks between single ones, each layer depending on the one task before it and that on the whole layer. */
const diamonds = (layers: number, width: number): Shape => {
  const tasks: Partial<WorkflowTask>[] = [];
  let before: string | undefined;
  for (let layer = 0; layer < layers; layer++) {
    const names = Array.from({ length: width }, (_, i) => `l${layer}x${i}`);
    for (const name of names) tasks.push({ name, ...(before === undefined ? {} : { dependsOn: [before] }) });
    before = `j${layer}`;
    tasks.push({ name: before, dependsOn: names });
  }
  return { name: `${layers} diamonds of ${width}`, tasks, width };
};

/** Tasks per second of large Workflows, and the API writes they cost. */
export async function measureThroughput({ rig, kubeconfig, rounds }: ThroughputOptions): Promise<Measure[]> {
  await using floor = await startFloor({
    kubeconfig,
    namespace: rig.floorNamespace,
    amqpUrl: rig.amqpUrl,
    connections: IN_FLIGHT,
  });
  const agents = await startAgents(rig);
  const measures: Measure[] = [];
  try {
    for (const shape of [fanOut(1000), chain(200), diamonds(50, 19)]) {
      const ours: number[] = [];
      const baseline: number[] = [];
      const writes: number[] = [];
      const count = shape.tasks.length;
      for (let round = 0; round < rounds; round++) {
        baseline.push(count / ((await floor.tasks(count, shape.width)) / 1000));
        const before = await mutatingCalls(rig.kube);
        const workflow = `w${shape.name.replaceAll(/[^a-z0-9]/g, '')}r${round}`;
        const start = performance.now();
        await rig.apply(workflow, shape.tasks);
        await rig.succeeded([workflow], 300_000);
        ours.push(count / ((performance.now() - start) / 1000));
        // The apply itself is the user's.
        writes.push(((await mutatingCalls(rig.kube)) - before - 1) / count);
      }
      measures.push(
        measure(`${shape.name}: throughput`, 'tasks/s', ours, { at: 'least', bound: 0.6, of: 'floor' }, baseline),
        measure(`${shape.name}: API writes`, 'per task', writes, {
          at: 'most',
          bound: shape.name.startsWith('fan-out') ? 3.2 : 4,
        }),
      );
    }
  } finally {
    await agents.close();
  }
  return measures;
}

export function startAgents(rig: Rig): Promise<PlainAgents> {
  return startPlainAgents({
    amqpUrl: rig.agentUrl,
    namespace: rig.namespace,
    pool: POOL,
    image: IMAGE,
    concurrency: 1000,
  });
}
