import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { management, poolUser } from '@millwright/broker';
import { type AgentPool, isFinished, type Workflow, type WorkflowTask } from '@millwright/crds';
import type { Environment } from '@millwright/local';
import { connectKube, type Draft, isNotFound, type KubeClient } from '@millwright/operator/runtime';
import { type Child, startChild } from './child.ts';
import type { Cleanup } from './cleanup.ts';
import { poll } from './poll.ts';
import { deleteAll, resources } from './resources.ts';
import { shippedOperator } from './shipped.ts';

export const POOL = 'bench';
export const IMAGE = 'bench';

/** A namespace, a virtual host and an operator process of the benchmark's own. */
export interface Rig extends AsyncDisposable {
  kube: KubeClient;
  namespace: string;
  /** A namespace that no operator watches. */
  floorNamespace: string;
  /** Admin's URL of the virtual host, for the floor. */
  amqpUrl: string;
  /** URL with the user of the pool, for the agents. */
  agentUrl: string;
  operator: ChildProcess;
  /** The promise's value, unless the time is over or the operator ends before. */
  within<T>(timeoutMs: number, failure: string, promise: Promise<T>): Promise<T>;
  /** Creates a Workflow and resolves at once. Workflows of one batch can be waited for together. */
  apply(name: string, tasks: readonly Partial<WorkflowTask>[], batch?: string): Promise<Workflow>;
  /** Resolves when it has succeeded; rejects when it ends otherwise. */
  succeeded(name: string, timeoutMs: number): Promise<void>;
  /** The same for the `count` Workflows of a batch. */
  batchSucceeded(batch: string, count: number, timeoutMs: number): Promise<void>;
  /** Deletes all Workflows and tasks. */
  clear(): Promise<void>;
}

/** How agents run; without it they are outside the cluster, in the bench process. */
export interface Sandboxes {
  agentImage: string;
  workspaceImage: string;
  /** Each a pool and a capability of that name, with so many warm sandboxes. */
  pools: Readonly<Record<string, AgentPool['spec']['scale']>>;
}

export interface RigOptions {
  environment: Environment;
  repository: string;
  /** File that receives the operator's output. */
  log: string;
  cleanup: Cleanup;
  /** Export traces to the platform's trace backend. */
  tracing?: boolean;
  profileDir?: string;
  sandboxes?: Sandboxes;
  /** Fills the namespace before the operator starts. */
  prepare?: (kube: KubeClient, namespace: string) => Promise<void>;
}

/** Starts an operator that watches a fresh namespace, and waits until it leads and its pools are prepared. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const stack = new AsyncDisposableStack();
  const dispose = options.cleanup.add(() => stack.disposeAsync());
  try {
    return { ...(await build(options, stack)), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function build(options: RigOptions, stack: AsyncDisposableStack): Promise<Omit<Rig, keyof AsyncDisposable>> {
  const { environment, sandboxes } = options;
  const id = `bench-${randomBytes(4).toString('hex')}`;
  const floorNamespace = `${id}-floor`;
  const kube = await connectKube({ kubeconfig: environment.kubeconfig });
  stack.defer(() => kube.close());
  const admin = management(environment.rabbitManagementUrl, id);
  const pools = sandboxes ? Object.entries(sandboxes.pools) : [[POOL, { warm: 0, max: 10_000 }] as const];
  // Removal comes to the stack before the thing is made: the making may have been carried out although its answer is lost.
  stack.defer(async () => {
    for (const [name] of pools) await admin.deleteUser(poolUser(id, name));
    await admin.deleteVhost();
  });
  await admin.ensureVhost();
  for (const name of [id, floorNamespace]) {
    stack.defer(() => removeNamespace(kube, name));
    await kube.create(resources.namespaces, { metadata: { name } });
  }
  await kube.create(resources.projects, {
    metadata: { name: 'bench', namespace: id },
    spec: {
      repository: { url: 'https://example.com/bench.git', defaultBranch: 'main' },
      workspace: { image: sandboxes?.workspaceImage ?? IMAGE },
      enabled: true,
    },
  });
  for (const [name, scale] of pools)
    await kube.create(resources.pools, {
      metadata: { name, namespace: id },
      spec: { capabilities: [name], engine: 'runner', external: !sandboxes, scale, enabled: true },
    });
  await options.prepare?.(kube, id);
  const amqpUrl = `${environment.amqpUrl.replace(/\/+$/, '')}/${id}`;
  const operator = startOperator(options, id, amqpUrl);
  stack.defer(operator.stop);
  const { check } = operator;
  const urls = await Promise.all(pools.map(([name]) => poolUrl(kube, id, name, check)));
  return {
    kube,
    namespace: id,
    floorNamespace,
    amqpUrl,
    agentUrl: urls[0] ?? '',
    operator: operator.process,
    async within(timeoutMs, failure, promise) {
      let over = false;
      const watch = poll(timeoutMs, 250, failure, async () => {
        check();
        return over;
      });
      try {
        return await Promise.race([promise, watch.then(() => promise)]);
      } finally {
        over = true;
      }
    },
    apply: (name, tasks, batch) =>
      kube.create(
        resources.workflows,
        workflowDraft({ name, namespace: id, ...(batch === undefined ? {} : { labels: { batch } }) }, tasks),
      ),
    succeeded: (name, timeoutMs) =>
      poll(timeoutMs, 5, `Workflow ${name} has not ended`, async () => {
        check();
        return hasSucceeded(await kube.get(resources.workflows, { namespace: id, name }));
      }),
    batchSucceeded: (batch, count, timeoutMs) =>
      poll(timeoutMs, 20, `Workflows of ${batch} have not ended`, async () => {
        check();
        const which = { namespace: id, labelSelector: `batch=${batch}`, resourceVersion: '0' };
        const { items } = await kube.list(resources.workflows, which);
        return items.filter(hasSucceeded).length === count;
      }),
    async clear() {
      await deleteAll(kube, resources.workflows, id);
      await deleteAll(kube, resources.tasks, id);
    },
  };
}

/** A Workflow of tasks that the benchmarks' agents can do. */
export const workflowDraft = (
  metadata: Draft<Workflow>['metadata'],
  tasks: readonly Partial<WorkflowTask>[],
): Draft<Workflow> => ({
  metadata,
  spec: {
    projectRef: { name: 'bench' },
    tasks: tasks.map((task) => ({ capabilities: [POOL], command: ['true'], ...task })),
  } as Workflow['spec'],
});

/** What the operator's image would start, unless a profile is wanted: that names the places in the sources. */
function startOperator(options: RigOptions, namespace: string, amqpUrl: string): Child {
  const { repository, profileDir } = options;
  const shipped = shippedOperator(repository);
  return startChild({
    command: process.execPath,
    args:
      profileDir === undefined
        ? shipped.args
        : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, join(repository, 'operator/src/main.ts')],
    env: { ...shipped.env, ...operatorEnvironment(options, namespace, amqpUrl) },
    log: options.log,
  });
}

function operatorEnvironment(
  { environment, tracing, sandboxes }: RigOptions,
  namespace: string,
  amqpUrl: string,
): Record<string, string> {
  return {
    KUBECONFIG: environment.kubeconfig,
    MILLWRIGHT_AMQP_URL: amqpUrl,
    MILLWRIGHT_RABBITMQ_MANAGEMENT_URL: environment.rabbitManagementUrl,
    MILLWRIGHT_SIGNING_KEY: randomBytes(32).toString('hex'),
    // Nothing listens there: what is measured ends before an agent needs it.
    MILLWRIGHT_GATEWAY_URL: 'http://127.0.0.1:1',
    MILLWRIGHT_AGENT_IMAGE: sandboxes?.agentImage ?? 'none',
    MILLWRIGHT_WATCH_NAMESPACE: namespace,
    MILLWRIGHT_HTTP_PORT: '0',
    MILLWRIGHT_LOG_LEVEL: 'warn',
    POD_NAMESPACE: namespace,
    ...(tracing ? { OTEL_EXPORTER_OTLP_ENDPOINT: environment.otlpUrl } : {}),
  };
}

/** Emptied first: the namespace controller would take its time, at the cost of what is measured next. */
async function removeNamespace(kube: KubeClient, name: string): Promise<void> {
  for (const resource of [resources.workflows, resources.tasks, resources.pools]) await deleteAll(kube, resource, name);
  await kube.delete(resources.namespaces, { name }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

function hasSucceeded({ metadata, status }: Workflow): boolean {
  if (isFinished(status?.phase) && status?.phase !== 'Succeeded')
    throw new Error(`Workflow ${metadata.name}: ${status?.phase}: ${status?.message}`);
  return status?.phase === 'Succeeded';
}

async function poolUrl(kube: KubeClient, namespace: string, pool: string, check: () => void): Promise<string> {
  let url: string | undefined;
  await poll(60_000, 50, `pool ${pool} was not prepared`, async () => {
    check();
    const name = `millwright-pool-${pool}`;
    const secret = await kube.get(resources.secrets, { namespace, name }).catch(() => undefined);
    url = secret?.data.url;
    return url !== undefined;
  });
  return Buffer.from(url ?? '', 'base64').toString();
}
