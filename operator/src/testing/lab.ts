import { createHash, randomBytes } from 'node:crypto';
import { type Broker, connect, type DeadLetter, listDeadLetters, management, poolUser } from '@millwright/broker';
import {
  type AgentPool,
  type AgentTask,
  type GrantMessage,
  labels,
  type Project,
  type Workflow,
} from '@millwright/crds';
import { silentLogger } from '@millwright/otel';
import { type Cluster, resources, watchCluster } from '../cluster.ts';
import {
  connectKube,
  defineResource,
  isNotFound,
  type KubeClient,
  type KubeObject,
  noMetrics,
  waitForSync,
} from '../runtime/index.ts';
import { namespaces } from '../runtime/testing/resources.ts';
import { applyDefinitions } from './definitions.ts';
import { type Forge, standInForForge } from './lab-forge.ts';
import { type LabOperator, startLabOperator } from './lab-operator.ts';
import { aPool, aProject, aWorkflow } from './objects.ts';
import { type AgentAnswer, type PlainAgents, startPlainAgents } from './plain-agents.ts';
import { until } from './until.ts';

const secrets = defineResource<KubeObject & { data?: Record<string, string> }>({
  group: '',
  version: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
});
export const IMAGE = 'toolchain:1';

export type Behaviour = (
  grant: GrantMessage,
  signal: AbortSignal,
) => AgentAnswer | undefined | Promise<AgentAnswer | undefined>;

/** A namespace and a virtual host of the test's own, with a Project, a pool, agents, a publisher and a git host. */
export interface Lab extends Forge {
  kube: KubeClient;
  namespace: string;
  amqpUrl: string;
  managementUrl: string;
  vhost: string;
  /** Caches of the test's own, always up to date within moments. */
  cluster: Cluster;
  /** As administrator. */
  broker: Broker;
  operator(): LabOperator;
  startOperator(): Promise<LabOperator>;
  agents(pool: string): Promise<PlainAgents>;
  createPool(name: string, spec?: Parameters<typeof aPool>[1]): Promise<AgentPool>;
  createProject(name: string): Promise<Project>;
  apply(name: string, spec: Parameters<typeof aWorkflow>[0]): Promise<Workflow>;
  change(name: string, spec: Partial<Workflow['spec']>): Promise<unknown>;
  /** What the agents do with a task of a Workflow; by default it works and every check passes. */
  on(workflow: string, task: string, behaviour: Behaviour): void;
  workflow(name: string): Workflow | undefined;
  task(workflow: string, name: string): AgentTask | undefined;
  /** Resolves with the Workflow once it is in the phase (and has the reason). */
  reaches(name: string, phase: string, reason?: string): Promise<Workflow>;
  taskReaches(workflow: string, name: string, phase: string, reason?: string): Promise<AgentTask>;
  deadLetters(): Promise<DeadLetter[]>;
  close(): Promise<void>;
}

export const commitOf = (task: string): string => createHash('sha1').update(task).digest('hex');

/** Reads where the API server and RabbitMQ are from the environment. */
export async function openLab(env: NodeJS.ProcessEnv = process.env): Promise<Lab> {
  const {
    MILLWRIGHT_TEST_KUBECONFIG: kubeconfig,
    MILLWRIGHT_TEST_AMQP_URL,
    MILLWRIGHT_TEST_RABBITMQ_MANAGEMENT_URL,
  } = env;
  if (!kubeconfig || !MILLWRIGHT_TEST_AMQP_URL || !MILLWRIGHT_TEST_RABBITMQ_MANAGEMENT_URL)
    throw new Error('the global set-up of the tests has not run');
  const managementUrl = MILLWRIGHT_TEST_RABBITMQ_MANAGEMENT_URL;
  const stack = new AsyncDisposableStack();
  const name = `operator-${randomBytes(4).toString('hex')}`;
  const kube = await connectKube({ kubeconfig });
  stack.defer(() => kube.close());
  await applyDefinitions(kube);
  await kube.create(namespaces, { metadata: { name } });
  stack.defer(() => kube.delete(namespaces, { name }).catch(unless(isNotFound)));
  const admin = management(managementUrl, name);
  await admin.ensureVhost();
  stack.defer(() => admin.deleteVhost());
  stack.defer(async () => {
    for (const user of await admin.listUsers(poolUser(name, ''))) await admin.deleteUser(user);
  });
  const url = new URL(MILLWRIGHT_TEST_AMQP_URL);
  url.pathname = `/${name}`;
  const amqpUrl = url.href;
  const broker = await connect({ url: amqpUrl, name: 'test', topology: 'declare' });
  stack.defer(() => broker.close());
  const cluster = watchCluster({ kube, namespace: name, shard: name, logger: silentLogger, metrics: noMetrics });
  const watching = new AbortController();
  stack.defer(async () => watching.abort());
  for (const reflector of Object.values(cluster)) void reflector.run(watching.signal);
  await waitForSync(Object.values(cluster));

  const { effects, forgeSays, probed } = await standInForForge(broker);
  const behaviours = new Map<string, Behaviour>();
  const operators: LabOperator[] = [];

  async function perform(grant: GrantMessage, signal: AbortSignal): Promise<AgentAnswer | undefined> {
    const found = [...behaviours].find(([prefix]) => grant.task.name.startsWith(prefix));
    return found ? found[1](grant, signal) : works(grant, signal);
  }

  /** In a shard of its own: operators that are installed in the cluster leave it alone. */
  const meta = (object: string) => ({ name: object, namespace: name, labels: { [labels.shard]: name } });

  const lab: Lab = {
    kube,
    namespace: name,
    amqpUrl,
    managementUrl,
    vhost: name,
    cluster,
    broker,
    effects,
    forgeSays,
    probed,
    operator: () => {
      const last = operators.at(-1);
      if (!last) throw new Error('no operator was started');
      return last;
    },
    async startOperator() {
      const operator = await startLabOperator({
        kubeconfig,
        amqpUrl,
        admin,
        namespace: name,
        epoch: operators.length + 1,
      });
      stack.defer(operator.kill);
      operators.push(operator);
      return operator;
    },
    async agents(pool) {
      const secret = await until(`the Secret of pool ${pool}`, () =>
        kube.get(secrets, { namespace: name, name: `millwright-pool-${pool}` }).catch(unless(isNotFound)),
      );
      const agents = await startPlainAgents({
        amqpUrl: Buffer.from(secret.data?.url ?? '', 'base64').toString(),
        namespace: name,
        pool,
        image: IMAGE,
        concurrency: 100,
        perform,
      });
      stack.defer(agents.close);
      return agents;
    },
    createPool: (pool, spec = {}) =>
      kube.create(resources.pools, {
        metadata: meta(pool),
        spec: aPool(pool, { external: true, scale: { max: 100 }, ...spec }).spec,
      }),
    createProject: (project) =>
      kube.create(resources.projects, {
        metadata: meta(project),
        spec: aProject({ workspace: { image: IMAGE } }).spec,
      }),
    apply: (workflow, spec) =>
      kube.create(resources.workflows, { metadata: meta(workflow), spec: aWorkflow(spec).spec }),
    change: (workflow, spec) => kube.patch(resources.workflows, { namespace: name, name: workflow }, { spec }),
    on: (workflow, task, behaviour) => void behaviours.set(`${workflow}-${task}-`, behaviour),
    workflow: (workflow) => cluster.workflows.store.get(`${name}/${workflow}`),
    task: (workflow, task) =>
      cluster.tasks.store
        .list()
        .find(
          ({ metadata }) => metadata.labels?.[labels.workflow] === workflow && metadata.labels[labels.task] === task,
        ),
    reaches: (workflow, phase, reason) =>
      until(
        `Workflow ${workflow} ${phase}/${reason ?? '*'}`,
        () => inPhase(lab.workflow(workflow), phase, reason),
        () => lab.workflow(workflow)?.status,
      ),
    taskReaches: (workflow, task, phase, reason) =>
      until(
        `task ${workflow}/${task} ${phase}/${reason ?? '*'}`,
        () => inPhase(lab.task(workflow, task), phase, reason),
        () => lab.task(workflow, task)?.status,
      ),
    deadLetters: () => listDeadLetters(broker, { limit: 1000 }),
    close: () => stack.disposeAsync(),
  };
  return lab;
}

/** A run makes a commit of its own; a verification passes. */
export const works: Behaviour = ({ kind, task, commands }) =>
  kind === 'run'
    ? { commit: commitOf(task.uid) }
    : { tests: { passed: commands.acceptance.length, total: commands.acceptance.length } };

const inPhase = <T extends Workflow | AgentTask>(
  object: T | undefined,
  phase: string,
  reason?: string,
): T | undefined =>
  object?.status?.phase === phase && (reason === undefined || object.status.reason === reason) ? object : undefined;

const unless =
  (isExpected: (error: unknown) => boolean) =>
  (error: unknown): undefined => {
    if (!isExpected(error)) throw error;
  };
