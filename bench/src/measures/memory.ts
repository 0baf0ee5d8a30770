import { type Broker, connect, targets, topology } from '@millwright/broker';
import { type GrantMessage, heartbeatMessage, labels } from '@millwright/crds';
import { startAgents } from '../agents.ts';
import { writeHistory } from '../history.ts';
import { type Lab, runWorkflow } from '../lab.ts';
import { residentMB } from '../process-stats.ts';
import { type Measure, measure } from '../report.ts';
import { deleteAll, resources } from '../resources.ts';
import { fanOut } from '../shapes.ts';
import { slope } from '../stats.ts';

const LIMIT_MB = 350;
/** What counts as no growth: the heap is resized in steps of a few megabytes, so a line through its size is never level. */
const NO_GROWTH_MB = 10;
/** Until the heap has found its size. */
const WARM_UP_MS = 60_000;
const SAMPLE_MS = 1_000;
/** As often as agents in sandboxes do it. */
const HEARTBEAT_MS = 10_000;

/** The operator's memory with much history and many tasks at work, and whether it grows while others come and go. */
export async function measureMemory(lab: Lab): Promise<Measure[]> {
  const finished = lab.scaled(10_000);
  const active = lab.scaled(1000);
  const held: GrantMessage[] = [];
  await using rig = await lab.openRig({
    prepare: (kube, namespace) => writeHistory(kube, namespace, finished, (fraction) => lab.report(fraction * 0.2)),
  });
  const broker = await connect({ url: rig.amqpUrl, name: 'bench', topology: 'assume' });
  await using _connection = { [Symbol.asyncDispose]: lab.cleanup.add(() => broker.close()) };
  const allHeld = Promise.withResolvers<void>();
  await using agents = await startAgents({
    rig,
    cleanup: lab.cleanup,
    perform: ({ workflow }, grant) => {
      if (workflow !== 'active') return;
      if (held.push(grant) === active) allHeld.resolve();
      return new Promise(() => {});
    },
  });
  await rig.apply('active', fanOut(active).tasks);
  await rig.within(120_000, `${active} tasks are not at work`, allHeld.promise);

  const samples: { x: number; y: number }[] = [];
  const started = performance.now();
  const minutes = () => (performance.now() - started) / 60_000;
  const total = WARM_UP_MS / 60_000 + lab.minutes;
  const sample = () => {
    try {
      samples.push({ x: minutes(), y: residentMB(rig.operator.pid) });
    } catch {
      // The operator has ended, and whoever waits for its work says so: an error in a timer would end the bench with nothing removed.
    }
  };
  const timers = [
    setInterval(sample, SAMPLE_MS),
    setInterval(() => beat(agents.broker, held), HEARTBEAT_MS),
    // Nobody records the history here; on disk it would grow without end.
    setInterval(() => purge(broker), HEARTBEAT_MS),
  ];
  try {
    for (let round = 0; minutes() < total; round++) {
      const name = `load${round}`;
      await runWorkflow(rig, agents, name, fanOut(100));
      await rig.kube.delete(resources.workflows, { namespace: rig.namespace, name });
      await deleteAll(rig.kube, resources.tasks, rig.namespace, `${labels.workflow}=${name}`);
      lab.report(0.2 + (0.8 * minutes()) / total);
    }
  } finally {
    timers.forEach(clearInterval);
  }
  const steady = samples.filter(({ x }) => x >= WARM_UP_MS / 60_000);
  const growth = slope(steady) * lab.minutes;
  return [
    measure(
      `operator memory, ${finished} finished and ${active} active tasks`,
      'MB RSS',
      [Math.max(...samples.map(({ y }) => y))],
      { at: 'most', bound: LIMIT_MB },
    ),
    measure(`operator memory, growth in ${lab.minutes} min of load`, 'MB', [growth], {
      at: 'most',
      bound: NO_GROWTH_MB,
    }),
  ];
}

function beat(broker: Broker, grants: readonly GrantMessage[]): void {
  // One that is lost does no harm, and the operator's loss of all of them shows as failed tasks.
  for (const { task, attempt, token } of grants)
    broker.publish(targets.results, heartbeatMessage, { type: 'heartbeat', task, attempt, token }).catch(() => {});
}

function purge(broker: Broker): void {
  broker.withChannel((channel) => channel.purgeQueue(topology.recorder)).catch(() => {});
}
