import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { management } from '@millwright/broker';
import {
  type AgentPool,
  type AgentTask,
  agentPools,
  agentTasks,
  isFinished,
  type Project,
  projects,
  type Workflow,
  type WorkflowTask,
  workflows,
} from '@millwright/crds';
import type { Environment } from '@millwright/local';
import { connectKube, defineResource, type KubeClient, type KubeObject } from '@millwright/operator/runtime';

export const resources = {
  projects: defineResource<Project>(projects),
  pools: defineResource<AgentPool>(agentPools),
  workflows: defineResource<Workflow>(workflows),
  tasks: defineResource<AgentTask>(agentTasks),
  namespaces: defineResource<KubeObject & { kind: 'Namespace' }>({
    group: '',
    version: 'v1',
    plural: 'namespaces',
    kind: 'Namespace',
    namespaced: false,
  }),
  secrets: defineResource<KubeObject & { data: Record<string, string> }>({
    group: '',
    version: 'v1',
    plural: 'secrets',
    kind: 'Secret',
    namespaced: true,
  }),
};

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
  /** Creates a Workflow and resolves at once. */
  apply(name: string, tasks: readonly Partial<WorkflowTask>[]): Promise<Workflow>;
  /** Resolves when all have succeeded; rejects when one fails. */
  succeeded(names: readonly string[], timeoutMs: number): Promise<void>;
}

export interface RigOptions {
  environment: Environment;
  repository: string;
  logDir: string;
  /** Export traces. */
  tracing: boolean;
}

/** Starts an operator that watches a fresh namespace, and waits until it leads and its pool is prepared. */
export async function startRig({ environment, repository, logDir, tracing }: RigOptions): Promise<Rig> {
  await using stack = new AsyncDisposableStack();
  const id = `bench-${randomBytes(4).toString('hex')}`;
  const kube = await connectKube({ kubeconfig: environment.kubeconfig });
  stack.defer(() => kube.close());
  const admin = management(environment.rabbitManagementUrl, id);
  await admin.ensureVhost();
  stack.defer(() => admin.deleteVhost());
  const floorNamespace = `${id}-floor`;
  for (const name of [id, floorNamespace]) {
    await kube.create(resources.namespaces, { metadata: { name } });
    stack.defer(async () => kube.delete(resources.namespaces, { name }, { propagationPolicy: 'Background' }));
  }
  await kube.create(resources.projects, {
    metadata: { name: 'bench', namespace: id },
    spec: {
      repository: { url: 'https://example.com/bench.git', defaultBranch: 'main', forge: 'git' },
      workspace: { image: IMAGE },
      enabled: true,
    },
  });
  await kube.create(resources.pools, {
    metadata: { name: POOL, namespace: id },
    spec: { capabilities: ['bench'], engine: 'runner', external: true, scale: { warm: 0, max: 10_000 }, enabled: true },
  });
  const amqpUrl = `${environment.amqpUrl.replace(/\/+$/, '')}/${id}`;
  const log = createWriteStream(join(logDir, `${id}.log`));
  const operator = spawn(process.execPath, [join(repository, 'operator/src/main.ts')], {
    env: {
      PATH: process.env.PATH,
      KUBECONFIG: environment.kubeconfig,
      MILLWRIGHT_AMQP_URL: amqpUrl,
      MILLWRIGHT_RABBITMQ_MANAGEMENT_URL: environment.rabbitManagementUrl,
      MILLWRIGHT_SIGNING_KEY: randomBytes(32).toString('hex'),
      MILLWRIGHT_GATEWAY_URL: 'http://127.0.0.1:1',
      MILLWRIGHT_AGENT_IMAGE: 'none',
      MILLWRIGHT_WATCH_NAMESPACE: id,
      MILLWRIGHT_HTTP_PORT: '0',
      MILLWRIGHT_LOG_LEVEL: 'warn',
      POD_NAMESPACE: id,
      ...(tracing ? { OTEL_EXPORTER_OTLP_ENDPOINT: environment.otlpUrl } : {}),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  operator.stdout.pipe(log, { end: false });
  operator.stderr.pipe(log, { end: false });
  stack.defer(async () => {
    if (operator.exitCode !== null || operator.signalCode !== null) return;
    operator.kill('SIGTERM');
    await once(operator, 'exit');
  });
  const agentUrl = await poolUrl(kube, id, operator, log.path.toString());
  const owned = stack.move();
  return {
    kube,
    namespace: id,
    floorNamespace,
    amqpUrl,
    agentUrl,
    operator,
    apply: (name, tasks) =>
      kube.create(resources.workflows, {
        metadata: { name, namespace: id },
        spec: {
          projectRef: { name: 'bench' },
          tasks: tasks.map((task) => ({ capabilities: ['bench'], command: ['true'], ...task })),
        } as Workflow['spec'],
      }),
    succeeded: (names, timeoutMs) => succeeded(kube, id, names, timeoutMs),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function poolUrl(kube: KubeClient, namespace: string, operator: ChildProcess, log: string): Promise<string> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const secret = await kube
      .get(resources.secrets, { namespace, name: `millwright-pool-${POOL}` })
      .catch(() => undefined);
    const url = secret?.data.url;
    if (url !== undefined) return Buffer.from(url, 'base64').toString();
    if (operator.exitCode !== null || performance.now() > deadline)
      throw new Error(`the operator did not get ready; see ${log}`);
    await sleep(50);
  }
}

async function succeeded(
  kube: KubeClient,
  namespace: string,
  names: readonly string[],
  timeoutMs: number,
): Promise<void> {
  const open = new Set(names);
  const abort = AbortSignal.timeout(timeoutMs);
  const seen = (workflow: Workflow) => {
    if (!open.has(workflow.metadata.name) || !isFinished(workflow.status?.phase)) return;
    if (workflow.status?.phase !== 'Succeeded')
      throw new Error(`Workflow ${workflow.metadata.name}: ${workflow.status?.phase}: ${workflow.status?.message}`);
    open.delete(workflow.metadata.name);
  };
  // Polling a list of one page is cheap beside what is measured, and cannot miss an event.
  while (open.size > 0) {
    const page = await kube.list(resources.workflows, { namespace, resourceVersion: '0' });
    for (const workflow of page.items) seen(workflow);
    if (abort.aborted) throw new Error(`${open.size} of ${names.length} Workflows have not ended in ${timeoutMs} ms`);
    if (open.size > 0) await sleep(names.length > 1 ? 100 : 10);
  }
}
