import { type AgentTask, isFinished, labels, type Workflow } from '@millwright/crds';
import { TaskMemories } from '../../agent-task/memory.ts';
import { planTask } from '../../agent-task/plan.ts';
import { keyOf } from '../../runtime/index.ts';
import { planWorkflow } from '../../workflow/plan.ts';
import { aPool, aProject, aWorkflow, NAMESPACE, NOW } from '../objects.ts';
import { type Agents, createAgents } from './agents.ts';
import { type Api, createApi, type Stored } from './api.ts';
import { createBroker, type Inbound, inboundQueues, redeliver, type SimulatedBroker } from './broker.ts';
import { type Chance, chanceFrom } from './chance.ts';
import { createLaws } from './laws.ts';
import { type Brain, type OperatorProcess, startProcess } from './operator-process.ts';
import { createPublisher } from './publisher.ts';
import type { Faults, Scenario } from './scenario.ts';
import type { Step } from './step.ts';

export interface Ended {
  /** By name of the task; tasks that never existed are absent. `*` is the Workflow. */
  phases: Record<string, string | undefined>;
  /** Attempts lost to the infrastructure, over all tasks. */
  lost: number;
  /** What did not hold. */
  broken: readonly string[];
}

export const soundBrain: Brain = {
  planTask,
  planWorkflow,
  read: (message) => message,
  memories: () => new TaskMemories(),
  trustsCache: false,
  publisherAsks: true,
};

/** Far more than any run needs. */
const MAX_STEPS = 20_000;
const HEARTBEAT_MS = 10_000;
/** How many unsettled messages of each queue the operator holds: few, so that what it holds is often in the way of what it waits for. */
const PREFETCH = 2;
const FLOW = `${NAMESPACE}/flow`;

/** Runs a Workflow to its end: first as the decisions say, then, when these are used up, without any further fault. */
export async function simulate(
  scenario: Scenario,
  faults: Faults,
  decisions: readonly number[],
  brain: Brain = soundBrain,
  trace: (line: string) => void = () => undefined,
): Promise<Ended> {
  const chance = chanceFrom(decisions);
  let now = NOW;
  const laws = createLaws({ workflow: scenario.parallelism, project: scenario.projectLimit }, (task) =>
    trace(`  ${task.metadata.name}: ${JSON.stringify({ ...task.status, conditions: undefined })}`),
  );
  const api = createApi(() => now, laws);
  const broker = createBroker();
  const agents = createAgents({
    api,
    broker,
    laws,
    chance,
    now: () => now,
    outcomes: (task) => scenario.tasks[Number(task.slice(1))]?.outcomes ?? [],
    mayFail: faults.sandboxes,
    mayRepeat: faults.repeats,
  });
  const publisher = createPublisher({
    api,
    broker,
    laws,
    chance,
    mayFail: faults.forge,
    mayRepeat: faults.repeats,
    asks: brain.publisherAsks,
  });
  populate(api, agents, scenario);
  let epoch = 0;
  const start = () =>
    startProcess({
      api,
      broker,
      chance,
      brain,
      now: () => now,
      epoch: ++epoch,
      mayFail: faults.operator,
      killPod: (pod) => agents.kill(pod),
      meanwhile: async () => {
        const queue = inboundQueues.find((name) => isDelivered(operator, broker, name));
        if (queue) await operator.receive(taken(broker, queue, 0));
      },
    });
  let operator = start();

  for (let step = 0; laws.broken.length === 0; step++) {
    if (operator.isDead()) {
      redeliver(broker, operator.unsettled);
      trace('the operator has died');
      operator = start();
    }
    operator.turn();
    const isCalm = chance.isOver;
    if (isCalm) calm();
    const others = () => (broker.isUp ? [...agents.steps(), ...publisher.steps()] : []);
    const steps = [...ordinary(operator, broker, others, chance, faults), ...(isCalm ? [] : unusual())];
    const chosen = steps[chance.choose(Math.max(1, steps.length))];
    if (step > MAX_STEPS) laws.unfinished('it never comes to rest');
    else if (chosen) {
      trace(`${(now - NOW) / 1000} s: ${chosen.what}`);
      await chosen.run();
    } else if (!advance()) {
      if (isCalm) break;
      chance.end();
    }
  }
  for (const what of laws.redone) laws.unfinished(what);
  if (laws.broken.length === 0) checkEnd(api, broker, operator, laws.unfinished);
  return { ...summary(api), broken: laws.broken };

  /** To the next moment at which something is due; false when nothing ever is. */
  function advance(): boolean {
    const due = operator.nextTimer();
    // A task that was made anew as its Workflow ended goes on alone.
    const isOver =
      isFinished((api.get('Workflow', FLOW) as Workflow | undefined)?.status?.phase) &&
      (!faults.namesakes || (api.list('AgentTask') as AgentTask[]).every(({ status }) => isFinished(status?.phase)));
    if (due === undefined || isOver) return false;
    now = Math.max(now + 1, agents.hasBusy() ? Math.min(due, now + HEARTBEAT_MS) : due);
    if (broker.isUp) agents.heartbeats();
    operator.wake();
    return true;
  }

  /** What was disturbed on purpose is set right. */
  function calm(): void {
    if (!broker.isUp || !broker.takesFromOperator) raise();
    const { spec } = api.get('Workflow', FLOW) as Workflow;
    if (spec.suspend) api.patch('Workflow', FLOW, { spec: { ...spec, suspend: false } }, undefined);
  }

  function raise(): void {
    broker.isUp = true;
    broker.takesFromOperator = true;
    operator.connected();
  }

  /** The operator alone loses one of its two connections, or a channel. */
  function lostConnections(): Step[] {
    const steps: Step[] = inboundQueues.map((queue) => ({
      what: `the operator loses the channel of ${queue}`,
      run: () => operator.lost(queue),
    }));
    if (!broker.takesFromOperator) return steps;
    const run = () => {
      broker.takesFromOperator = false;
      operator.disconnected();
    };
    return [...steps, { what: 'the operator loses the connection on which it publishes', run }];
  }

  function unusual(): Step[] {
    const list: Step[] = [];
    if (faults.stale) list.push({ what: 'the watch replays', run: () => operator.replay(chance.choose(0xffff)) });
    if (faults.stale && chance.unusual(10))
      for (const kind of operator.watching())
        list.push({ what: `the watch of ${kind} lists`, run: () => operator.relist(kind) });
    if (faults.namesakes && chance.unusual(10)) list.push(...namesakes(api));
    if (faults.broker && broker.isUp)
      list.push({
        what: 'the broker goes away',
        run: () => {
          for (const queue of inboundQueues) operator.lost(queue);
          operator.disconnected();
          agents.reconnect();
          publisher.reconnect();
          broker.isUp = false;
        },
      });
    if (faults.connections && broker.isUp && chance.unusual(4)) list.push(...lostConnections());
    // One connection is back within moments, in which no agent gives up its claim: who has done so may still be granted it, and not hear it.
    if (!broker.isUp || !broker.takesFromOperator) list.push({ what: 'the broker is back', run: raise });
    if (!broker.isUp) list.push({ what: 'time passes', run: () => void advance() });
    if (faults.user && chance.unusual(10)) {
      const { spec } = api.get('Workflow', FLOW) as Workflow;
      const patch = (change: object): Step => ({
        what: `someone sets ${JSON.stringify(change)}`,
        run: () => void api.patch('Workflow', FLOW, { spec: { ...spec, ...change } }, undefined),
      });
      list.push(patch({ suspend: !spec.suspend }), patch({ cancel: true }));
    }
    return list;
  }
}

/** What can happen next when nothing fails. Time passes only when nothing else can happen. */
function ordinary(
  operator: OperatorProcess,
  broker: SimulatedBroker,
  others: () => Step[],
  chance: Chance,
  faults: Faults,
): Step[] {
  const steps: Step[] = [];
  // Without faults the watch is always up to date; late, its events come when they come.
  for (const kind of operator.watching()) steps.push({ what: `watch ${kind}`, run: () => operator.watch(kind) });
  if (steps.length > 0 && (!faults.stale || chance.isOver)) return steps;
  for (const entry of operator.dirty()) steps.push({ what: `pass ${entry}`, run: () => operator.pass(entry) });
  for (const queue of inboundQueues)
    if (isDelivered(operator, broker, queue))
      steps.push({
        what: `the operator receives of ${queue}`,
        run: () => {
          const index = faults.repeats && chance.unusual(4) ? chance.choose(broker[queue].length) : 0;
          return operator.receive(taken(broker, queue, index));
        },
      });
  return [...steps, ...others()];
}

/** Whether the next message of a queue reaches the operator. */
function isDelivered(operator: OperatorProcess, broker: SimulatedBroker, queue: Inbound['queue']): boolean {
  const held = [...operator.unsettled].filter((delivered) => delivered.queue === queue).length;
  return broker.isUp && broker[queue].length > 0 && held < PREFETCH;
}

/** Takes a message off its queue. */
function taken(broker: SimulatedBroker, queue: Inbound['queue'], index: number): Inbound {
  const [envelope] = broker[queue].splice(index, 1);
  if (!envelope) throw new Error(`${queue} has no message ${index}`);
  return { queue, envelope };
}

function populate(api: Api, agents: Agents, scenario: Scenario): void {
  const [small, big] = scenario.poolSizes;
  api.create(
    aProject(scenario.projectLimit === undefined ? {} : { limits: { maxParallelTasks: scenario.projectLimit } }),
  );
  const pools = [
    aPool('pool', { capabilities: ['a'], scale: { max: small } }),
    aPool('big', { capabilities: ['a', 'b'], scale: { max: big } }),
  ];
  for (const pool of pools) {
    api.create(pool);
    for (let i = 0; i < pool.spec.scale.max; i++) agents.start(pool);
  }
  const name = (index: number) => `t${index}`;
  const tasks = scenario.tasks.map((task, index) => {
    const first = task.dependsOn[0];
    return {
      name: name(index),
      dependsOn: task.dependsOn.map(name),
      ...(task.when === undefined || first === undefined
        ? {}
        : { when: `tasks.${name(first)}.phase ${task.when === 'Failed' ? '==' : '!='} 'Failed'` }),
      ...(task.isVerified ? { acceptance: ['true'] } : {}),
      ...(task.capability === undefined ? {} : { capabilities: [task.capability] }),
      priority: task.priority,
      retry: { maxAttempts: task.maxAttempts },
      ...(scenario.timeoutSeconds === undefined ? {} : { timeoutSeconds: scenario.timeoutSeconds }),
    };
  });
  api.create(
    aWorkflow({ tasks, ...(scenario.parallelism === undefined ? {} : { parallelism: scenario.parallelism }) }),
  );
}

/** Someone deletes an object that has not ended and makes it anew, as it was first. */
function namesakes(api: Api): Step[] {
  const open = [...api.list('Workflow'), ...api.list('AgentTask')] as (Workflow | AgentTask)[];
  return open
    .filter(({ status }) => !isFinished(status?.phase))
    .map((object) => ({
      what: `someone makes ${object.metadata.name} anew`,
      run: () => {
        const { uid, ...metadata } = object.metadata;
        api.remove(object.kind, keyOf(object));
        if (object.kind === 'Workflow')
          for (const task of api.list('AgentTask'))
            if (task.metadata.ownerReferences?.some((owner) => owner.uid === uid)) api.remove(task.kind, keyOf(task));
        const { status: _, ...fresh } = { ...object, metadata };
        api.create(fresh as Stored);
      },
    }));
}

function checkEnd(
  api: Api,
  broker: SimulatedBroker,
  operator: OperatorProcess,
  unfinished: (what: string) => void,
): void {
  const workflow = api.get('Workflow', FLOW) as Workflow;
  if (!isFinished(workflow.status?.phase))
    unfinished(`the Workflow hangs: ${workflow.status?.phase}/${workflow.status?.message}`);
  for (const task of api.list('AgentTask') as AgentTask[])
    if (!isFinished(task.status?.phase))
      unfinished(`${task.metadata.name} hangs: ${task.status?.phase}/${task.status?.reason}`);
  const waiting = inboundQueues.flatMap((queue) => broker[queue]);
  const left = [...[...operator.unsettled].map(({ envelope }) => envelope), ...waiting];
  if (left.length > 0) unfinished(`messages were never settled: ${JSON.stringify(left.map(({ body }) => body))}`);
}

function summary(api: Api): Pick<Ended, 'phases' | 'lost'> {
  const workflow = api.get('Workflow', FLOW) as Workflow;
  // A late pass may create a task of a Workflow that is no more, which nothing collects here.
  const tasks = (api.list('AgentTask') as AgentTask[]).filter(
    ({ metadata }) => metadata.labels?.[labels.workflowUid] === workflow.metadata.uid,
  );
  const phases = tasks.map((task) => [task.metadata.labels?.[labels.task] ?? '', task.status?.phase] as const);
  return {
    phases: { ...Object.fromEntries(phases), '*': workflow.status?.phase },
    lost: tasks.reduce((sum, { status }) => sum + (status?.infrastructureFailures ?? 0), 0),
  };
}
