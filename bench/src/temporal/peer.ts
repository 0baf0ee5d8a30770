import { fileURLToPath } from 'node:url';
import { Client, Connection, isGrpcServiceError, NamespaceNotFoundError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Cleanup } from '../cleanup.ts';
import { poll } from '../poll.ts';

/** The same work done by Temporal: Workflows of tasks that end at once, started and awaited by a client. Times in milliseconds. */
export interface TemporalPeer extends AsyncDisposable {
  /** One Workflow of one task, from start to end. */
  one(): Promise<number>;
  /** So many of these, started at once. */
  burst(count: number): Promise<number>;
  fanOut(count: number): Promise<number>;
  chain(count: number): Promise<number>;
}

const NAMESPACE = 'bench';
const QUEUE = 'bench';

/** Starts a client and a worker, both in this process as our agents are, with the SDK's own defaults. */
export async function startTemporalPeer(address: string, cleanup: Cleanup): Promise<TemporalPeer> {
  const stack = new AsyncDisposableStack();
  const dispose = cleanup.add(() => stack.disposeAsync());
  const logger = new DefaultLogger('WARN');
  Runtime.install({ logger, shutdownSignals: [] });
  const connection = await Connection.connect({ address });
  stack.defer(() => connection.close());
  const client = new Client({ connection, namespace: NAMESPACE });
  await registerNamespace(connection, client);
  const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
  const workerConnection = await NativeConnection.connect({ address });
  stack.defer(() => workerConnection.close());
  const worker = await Worker.create({
    connection: workerConnection,
    namespace: NAMESPACE,
    taskQueue: QUEUE,
    workflowBundle: await bundleWorkflowCode({ workflowsPath, logger }),
    activities: { work: async () => {} },
  });
  const running = worker.run();
  stack.defer(async () => {
    worker.shutdown();
    await running;
  });

  let sequence = 0;
  const execute = (name: 'chain' | 'fanOut', count: number) =>
    client.workflow.execute<(count: number) => Promise<void>>(name, {
      workflowId: `${name}-${++sequence}`,
      taskQueue: QUEUE,
      args: [count],
    });
  return {
    one: () => time(() => execute('chain', 1)),
    burst: (count) => time(() => Promise.all(Array.from({ length: count }, () => execute('chain', 1)))),
    fanOut: (count) => time(() => execute('fanOut', count)),
    chain: (count) => time(() => execute('chain', count)),
    [Symbol.asyncDispose]: dispose,
  };
}

/** A namespace is known everywhere only when the services have read the list of them anew, seconds later. */
async function registerNamespace(connection: Connection, client: Client): Promise<void> {
  await connection.workflowService.registerNamespace({
    namespace: NAMESPACE,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  await poll(60_000, 250, 'Temporal does not know its new namespace', async () => {
    try {
      await client.workflow.start('chain', {
        workflowId: 'first',
        taskQueue: QUEUE,
        args: [1],
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      const taskQueue = { name: QUEUE };
      await connection.workflowService.describeTaskQueue({ namespace: NAMESPACE, taskQueue, taskQueueType: 1 });
      return true;
    } catch (error) {
      if (isGrpcServiceError(error) || error instanceof NamespaceNotFoundError) return false;
      throw error;
    }
  });
}

async function time(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
