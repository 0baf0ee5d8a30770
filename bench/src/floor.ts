/**
 * The floor: what the same API writes and messages cost a bare script that decides nothing. It creates the same objects, writes the same statuses
 * and publishes the same messages as the operator and its agents do, in the same order, and nobody watches. Objects and statuses are made by
 * the operator's own functions: were they lighter, it would be no floor.
 */
import { type Broker, connect, type Delivery } from '@millwright/broker';
import {
  type AgentTask,
  type OperatorInbound,
  operatorInbound,
  type Workflow,
  type WorkflowTask,
  type WorkMessage,
  workMessage,
} from '@millwright/crds';
import { connectKube, type KubeClient } from '@millwright/operator/runtime';
import { draftOf, endOf, finished, running } from '@millwright/operator/testing';
import { resources } from './resources.ts';
import { IMAGE, workflowDraft } from './rig.ts';
import type { Shape } from './shapes.ts';

export interface Floor extends AsyncDisposable {
  /** Milliseconds from the apply of a one-task Workflow to the delivery of its work. */
  applyToDelivery(): Promise<number>;
  /** Milliseconds from the publish of a result to the delivery of the dependant's work. */
  endToDelivery(): Promise<number>;
  /** Milliseconds from the apply of a Workflow to its last status: layer after layer, in each at most `inFlight` tasks at once. */
  workflow(shape: Pick<Shape, 'tasks' | 'layers'>, inFlight: number): Promise<number>;
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
      const start = performance.now();
      const workflow = await applyWorkflow(context, name(), [{ name: 'a' }]);
      await dispatch(context, await createTask(context, workflow, 0), 1);
      return performance.now() - start;
    },
    async endToDelivery() {
      const workflow = await applyWorkflow(context, name(), [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }]);
      const first = await beginTask(context, workflow, 0);
      const start = performance.now();
      await report(context, first);
      await succeed(context, first);
      await dispatch(context, await createTask(context, workflow, 1), 1);
      return performance.now() - start;
    },
    async workflow({ tasks, layers }, inFlight) {
      const start = performance.now();
      const workflow = await applyWorkflow(context, name(), tasks);
      const ended: AgentTask[] = [];
      let first = 0;
      for (const count of layers) {
        const left = Array.from({ length: count }, (_, index) => first + index).values();
        const worker = async () => {
          for (const index of left) ended.push(await wholeTask(context, workflow, index));
        };
        await Promise.all(Array.from({ length: Math.min(inFlight, count) }, worker));
        first += count;
      }
      await kube.patchStatus(resources.workflows, workflow, endOf(workflow, ended, Date.now()));
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

function applyWorkflow(
  { kube, namespace }: Context,
  name: string,
  tasks: readonly Partial<WorkflowTask>[],
): Promise<Workflow> {
  return kube.create(resources.workflows, workflowDraft({ name, namespace }, tasks));
}

function createTask({ kube }: Context, workflow: Workflow, index: number): Promise<AgentTask> {
  return kube.create(resources.tasks, draftOf(workflow, workflow.spec.tasks[index] as WorkflowTask));
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

const AGENT = { pool: 'bench', pod: 'plain-bench-floor-00000000-1-run', epoch: 1 };

function start({ kube }: Context, task: AgentTask): Promise<AgentTask> {
  return kube.patchStatus(resources.tasks, task, running(task, Date.now(), AGENT));
}

function succeed({ kube }: Context, task: AgentTask): Promise<AgentTask> {
  const message = 'the task succeeded and changed nothing';
  const status = finished(task, Date.now(), 'Succeeded', 'NoChangesNeeded', message, { result: {} });
  return kube.patchStatus(resources.tasks, task, status);
}

/** Create, deliver, claim, Running. */
async function beginTask(context: Context, workflow: Workflow, index: number): Promise<AgentTask> {
  const task = await createTask(context, workflow, index);
  await dispatch(context, task, 1);
  await claim(context, task);
  return start(context, task);
}

/** Three writes and three messages: create, deliver, claim, Running, result, Succeeded. The operator's fourth, the grant, is spared. */
async function wholeTask(context: Context, workflow: Workflow, index: number): Promise<AgentTask> {
  const task = await beginTask(context, workflow, index);
  await report(context, task);
  return succeed(context, task);
}
