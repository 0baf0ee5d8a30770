/**
 * The floor: what the same API writes and messages cost a bare script that decides nothing. It creates the same objects, writes the same statuses
 * and publishes the same messages as the operator and its agents do, in the same order, and nobody watches.
 */
import { hash } from 'node:crypto';
import { type Broker, connect, type Delivery } from '@millwright/broker';
import {
  type AgentTask,
  labels,
  type OperatorInbound,
  operatorInbound,
  type WorkMessage,
  workMessage,
} from '@millwright/crds';
import { connectKube, type KubeClient } from '@millwright/operator/runtime';
import { resources } from './resources.ts';
import { IMAGE } from './rig.ts';

export interface Floor extends AsyncDisposable {
  /** Milliseconds from the apply of a one-task Workflow to the delivery of its work. */
  applyToDelivery(): Promise<number>;
  /** Milliseconds from the publish of a result to the delivery of the dependant's work. */
  endToDelivery(): Promise<number>;
  /** Milliseconds for tasks from create to the last status: layer after layer, in each at most `inFlight` at once. */
  tasks(layers: readonly number[], inFlight: number): Promise<number>;
}

export interface FloorOptions {
  kubeconfig: string;
  namespace: string;
  amqpUrl: string;
  /** Connections to the API server; one for latencies, as many as the operator has for throughput. */
  connections: number;
}

const QUEUE_KEY = { engine: 'runner', image: `${IMAGE}-floor`, capabilities: ['bench'] } as const;
const RESULTS = { exchange: 'floor', routingKey: 'results' };

export async function startFloor(options: FloorOptions): Promise<Floor> {
  const { namespace } = options;
  const kube = await connectKube({ kubeconfig: options.kubeconfig, connections: options.connections });
  const broker = await connect({ url: options.amqpUrl, name: 'floor', topology: 'declare' });
  const queue = await broker.ensureWorkQueue({ namespace, ...QUEUE_KEY });
  await broker.withChannel(async (channel) => {
    await channel.assertExchange(RESULTS.exchange, 'direct', { durable: true });
    await channel.assertQueue(RESULTS.exchange, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue(RESULTS.exchange, RESULTS.exchange, RESULTS.routingKey);
  });
  const work = new Waiters<WorkMessage>();
  const results = new Waiters<OperatorInbound>();
  await broker.consume(queue, workMessage, (delivery) => work.arrived(delivery), { prefetch: 2_000 });
  await broker.consume(RESULTS.exchange, operatorInbound, (delivery) => results.arrived(delivery), { prefetch: 2_000 });
  const context: Context = { kube, broker, namespace, queue, work, results };
  let sequence = 0;
  const name = () => `floor-${process.pid}-${++sequence}`;
  return {
    async applyToDelivery() {
      const workflow = name();
      const start = performance.now();
      await applyWorkflow(context, workflow);
      await dispatch(context, await createTask(context, workflow, 't'), 1);
      return performance.now() - start;
    },
    async endToDelivery() {
      const workflow = name();
      const first = await createTask(context, workflow, 'a');
      const start = performance.now();
      await report(context, first);
      await patch(context, first, 'Succeeded');
      await dispatch(context, await createTask(context, workflow, 'b'), 1);
      return performance.now() - start;
    },
    async tasks(layers, inFlight) {
      const workflow = name();
      const start = performance.now();
      for (const [layer, count] of layers.entries()) {
        const left = Array.from({ length: count }, (_, index) => `t${layer}x${index}`).values();
        const worker = async () => {
          for (const task of left) await wholeTask(context, workflow, task);
        };
        await Promise.all(Array.from({ length: Math.min(inFlight, count) }, worker));
      }
      return performance.now() - start;
    },
    async [Symbol.asyncDispose]() {
      await broker.close();
      await kube.close();
    },
  };
}

interface Context {
  kube: KubeClient;
  broker: Broker;
  namespace: string;
  queue: string;
  work: Waiters<WorkMessage>;
  results: Waiters<OperatorInbound>;
}

/** Resolves who waits for a message of a task; acknowledges at once. */
class Waiters<M extends { type: string }> {
  readonly #waiting = new Map<string, (at: number) => void>();

  for(key: string): Promise<number> {
    return new Promise((resolve) => this.#waiting.set(key, resolve));
  }

  arrived(delivery: Delivery<M>): void {
    const { message } = delivery;
    const uid = 'task' in message ? (message.task as { uid: string }).uid : '';
    const key = `${message.type}/${uid}`;
    delivery.ack();
    this.#waiting.get(key)?.(performance.now());
    this.#waiting.delete(key);
  }
}

const identity = (task: AgentTask) => ({
  uid: task.metadata.uid,
  namespace: task.metadata.namespace,
  name: task.metadata.name,
});

async function applyWorkflow({ kube, namespace }: Context, name: string): Promise<void> {
  await kube.create(resources.workflows, {
    metadata: { name, namespace, labels: { bench: 'floor' } },
    spec: {
      projectRef: { name: 'bench' },
      tasks: [{ name: 't', capabilities: ['bench'], command: ['true'] }],
    } as never,
  });
}

function createTask({ kube, namespace }: Context, workflow: string, task: string): Promise<AgentTask> {
  return kube.create(resources.tasks, {
    metadata: {
      name: `${workflow}-${task}-${hash('sha256', workflow + task).slice(0, 6)}`,
      namespace,
      labels: {
        [labels.workflow]: workflow,
        [labels.workflowUid]: 'floor',
        [labels.task]: task,
        [labels.project]: 'bench',
      },
    },
    spec: {
      projectRef: { name: 'bench' },
      capabilities: ['bench'],
      command: ['true'],
      priority: 0,
    } as never,
  });
}

async function dispatch({ broker, queue, work }: Context, task: AgentTask, attempt: number): Promise<void> {
  const delivered = work.for(`work/${task.metadata.uid}`);
  await broker.publish(
    { exchange: 'millwright.work', routingKey: queue },
    workMessage,
    { type: 'work', kind: 'run', task: identity(task), attempt, capabilities: ['bench'] },
    { messageId: `${task.metadata.uid}:${attempt}` },
  );
  await delivered;
}

async function claim({ broker, results }: Context, task: AgentTask): Promise<void> {
  const seen = results.for(`claim/${task.metadata.uid}`);
  await broker.publish(RESULTS, operatorInbound, {
    type: 'claim',
    kind: 'run',
    task: identity(task),
    attempt: 1,
    agent: { pool: 'bench', pod: 'floor' },
  });
  await seen;
}

async function report({ broker, results }: Context, task: AgentTask): Promise<void> {
  const seen = results.for(`result/${task.metadata.uid}`);
  const at = new Date().toISOString();
  await broker.publish(RESULTS, operatorInbound, {
    type: 'result',
    kind: 'run',
    task: identity(task),
    attempt: 1,
    token: 'floor',
    outcome: 'succeeded',
    startedAt: at,
    finishedAt: at,
  });
  await seen;
}

function patch({ kube }: Context, task: AgentTask, phase: 'Running' | 'Succeeded'): Promise<AgentTask> {
  const at = new Date().toISOString();
  const condition = {
    type: 'Dispatched',
    status: 'True' as const,
    reason: 'Claimed',
    message: 'claimed by floor',
    observedGeneration: 1,
    lastTransitionTime: at,
  };
  return kube.patchStatus(resources.tasks, task, {
    ...task.status,
    phase,
    reason: phase,
    message: 'floor is at work',
    attempt: 1,
    try: '1/1',
    agent: { pool: 'bench', pod: 'floor', epoch: 1, at },
    startedAt: at,
    conditions: [condition],
    ...(phase === 'Succeeded'
      ? { finishedAt: at, duration: '10ms', conditions: [condition, { ...condition, type: 'Complete' }] }
      : {}),
  });
}

/** Three writes and three messages: create, deliver, claim, Running, result, Succeeded. The operator's fourth, the grant, is spared. */
async function wholeTask(context: Context, workflow: string, name: string): Promise<void> {
  const task = await createTask(context, workflow, name);
  await dispatch(context, task, 1);
  await claim(context, task);
  const running = await patch(context, task, 'Running');
  await report(context, running);
  await patch(context, running, 'Succeeded');
}
