import { labels } from '@millwright/crds';
import { createReflector } from '@millwright/operator/runtime';
import type { Lab } from '../lab.ts';
import { poll } from '../poll.ts';
import { machineIsQuiet } from '../quiet.ts';
import { type Measure, measure } from '../report.ts';
import { resources } from '../resources.ts';
import { POOL, type Rig } from '../rig.ts';
import { percentile } from '../stats.ts';

const WARM = 3;
/** Each cold claim has a pool of its own: what one leaves behind waits a while, and would be warm for the next. */
const coldPool = (index: number) => `cold${index}`;
const PER_ROUND = { warm: 12, cold: 2 };
const READY_MS = 120_000;

export interface SandboxImages {
  agents: string;
  workspace: string;
}

/** From apply of a one-task Workflow to the grant of its task to a real pod: one that waits already, and one that is only started then. */
export async function measureWarmClaim(lab: Lab, images: SandboxImages): Promise<Measure[]> {
  const counts = { warm: lab.scaled(PER_ROUND.warm), cold: lab.scaled(PER_ROUND.cold) };
  const coldPools = Array.from({ length: lab.rounds * counts.cold }, (_, index) => coldPool(index));
  await using rig = await lab.openRig({
    sandboxes: {
      agentImage: images.agents,
      workspaceImage: images.workspace,
      pools: {
        [POOL]: { warm: WARM, max: 2 * WARM },
        ...Object.fromEntries(coldPools.map((pool) => [pool, { warm: 0, max: 1 }])),
      },
    },
  });
  const stop = new AbortController();
  using _stop = { [Symbol.dispose]: () => stop.abort() };
  const tasks = createReflector({ kube: rig.kube, resource: resources.tasks, namespace: rig.namespace });
  const granted = new Map<string, (at: number) => void>();
  tasks.store.onChange((_old, task) => {
    if (task?.status?.agent) granted.get(task.metadata.labels?.[labels.workflow] ?? '')?.(performance.now());
  });
  void tasks.run(stop.signal);
  await tasks.synced;

  async function claim(name: string, capability: string): Promise<number> {
    const grant = Promise.withResolvers<number>();
    granted.set(name, grant.resolve);
    const start = performance.now();
    await rig.apply(name, [{ name: 'a', capabilities: [capability] }]);
    const at = await rig.within(READY_MS, `${name} was not granted`, grant.promise);
    // There is nothing for the agent to fetch, and its failure would be tried again in the next sandbox.
    await rig.kube.patch(resources.workflows, { namespace: rig.namespace, name }, { spec: { cancel: true } });
    return at - start;
  }

  const total = lab.rounds * (counts.warm + counts.cold);
  let done = 0;
  const repeat = async (count: number, run: (index: number) => Promise<number>) => {
    const values: number[] = [];
    for (let index = 0; index < count; index++) {
      values.push(await run(index));
      lab.report(++done / total);
    }
    return percentile(values, 50);
  };
  const warm: number[] = [];
  const cold: number[] = [];
  for (let round = 0; round < lab.rounds; round++) {
    warm.push(
      await repeat(counts.warm, async (i) => {
        await allIdle(rig);
        return claim(`w${round}x${i}`, POOL);
      }),
    );
    cold.push(
      await repeat(counts.cold, async (i) => {
        await allIdle(rig);
        return claim(`c${round}x${i}`, coldPool(round * counts.cold + i));
      }),
    );
  }
  return [
    measure('apply → claim granted in a warm sandbox, p50', 'ms', warm, { at: 'most', bound: 50 }),
    measure('apply → claim granted in a cold sandbox, p50', 'ms', cold, undefined),
  ];
}

/** All warm sandboxes wait, and the machine has done with what starting them and ending the last one takes: it is no part of what is measured. */
async function allIdle(rig: Rig): Promise<void> {
  await poll(READY_MS, 100, `${WARM} warm sandboxes are not ready`, async () => {
    const { status } = await rig.kube.get(resources.pools, { namespace: rig.namespace, name: POOL });
    return (status?.idle ?? 0) >= WARM && (status?.starting ?? 0) === 0;
  });
  await machineIsQuiet();
}
