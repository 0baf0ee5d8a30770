import { startPlainAgents } from '@millwright/operator/testing';
import { type Floor, startFloor } from '../floor.ts';
import { type Measure, measure } from '../report.ts';
import { IMAGE, POOL, type Rig } from '../rig.ts';
import { percentile } from '../stats.ts';

export interface DispatchOptions {
  rig: Rig;
  kubeconfig: string;
  /** Rounds of floor and ours in turn. */
  rounds: number;
  /** Workflows per round. */
  perRound: number;
}

/** Latency of one task at a time on an idle system: apply → delivery, and end of a task → delivery of its dependant. */
export async function measureDispatch({ rig, kubeconfig, rounds, perRound }: DispatchOptions): Promise<Measure[]> {
  await using floor = await startFloor({
    kubeconfig,
    namespace: rig.floorNamespace,
    amqpUrl: rig.amqpUrl,
    connections: 1,
  });
  const delivered = new Map<string, PromiseWithResolvers<number>>();
  const ended = new Map<string, number>();
  const key = (workflow: string, task: string) => `${workflow}/${task}`;
  const expect = (workflow: string, task: string) => {
    const promise = Promise.withResolvers<number>();
    delivered.set(key(workflow, task), promise);
    return promise.promise;
  };
  const names = new Map<string, string>();
  const agents = await startPlainAgents({
    amqpUrl: rig.agentUrl,
    namespace: rig.namespace,
    pool: POOL,
    image: IMAGE,
    concurrency: 100,
    onDelivery: (work, at) => delivered.get(taskOf(work.task.name))?.resolve(at),
    onResult: (grant, at) => ended.set(taskOf(grant.task.name), at),
  });
  /** `<workflow>-<task>-<hash>`: the names here have no dashes of their own. */
  function taskOf(name: string): string {
    const known = names.get(name);
    if (known) return known;
    const [workflow = '', task = ''] = name.split('-');
    const found = key(workflow, task);
    names.set(name, found);
    return found;
  }

  const apply: number[][] = [];
  const chain: number[][] = [];
  const floorApply: number[][] = [];
  const floorChain: number[][] = [];
  try {
    await one(rig, expect, 'warmup');
    await warm(floor);
    for (let round = 0; round < rounds; round++) {
      floorApply.push(await repeat(perRound, () => floor.applyToDelivery()));
      apply.push(await repeat(perRound, (i) => one(rig, expect, `a${round}x${i}`)));
      floorChain.push(await repeat(perRound, () => floor.endToDelivery()));
      chain.push(await repeat(perRound, (i) => two(`c${round}x${i}`)));
    }
  } finally {
    await agents.close();
  }
  const at = (p: number) => (values: number[]) => percentile(values, p);
  return [
    measure(
      'apply → delivery, p50',
      'ms',
      apply.map(at(50)),
      { at: 'most', bound: 1.5, of: 'floor' },
      floorApply.map(at(50)),
    ),
    measure(
      'apply → delivery, p99',
      'ms',
      apply.map(at(99)),
      { at: 'most', bound: 2, of: 'floor' },
      floorApply.map(at(99)),
    ),
    measure(
      'end of a task → delivery of its dependant, p50',
      'ms',
      chain.map(at(50)),
      { at: 'most', bound: 1.5, of: 'floor' },
      floorChain.map(at(50)),
    ),
  ];

  async function two(workflow: string): Promise<number> {
    const second = expect(workflow, 'b');
    await rig.apply(workflow, [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }]);
    const at = await second;
    await rig.succeeded([workflow], 30_000);
    return at - (ended.get(key(workflow, 'a')) ?? at);
  }
}

async function one(
  rig: Rig,
  expect: (workflow: string, task: string) => Promise<number>,
  workflow: string,
): Promise<number> {
  const first = expect(workflow, 'a');
  const start = performance.now();
  await rig.apply(workflow, [{ name: 'a' }]);
  const at = await first;
  await rig.succeeded([workflow], 30_000);
  return at - start;
}

const warm = (floor: Floor) => repeat(10, () => floor.applyToDelivery());

async function repeat(count: number, run: (index: number) => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let index = 0; index < count; index++) values.push(await run(index));
  return values;
}
