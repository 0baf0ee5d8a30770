import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentTask, isFinished, labels, type Workflow } from '@millwright/crds';
import { apiServer } from '../kubernetes/client.ts';
import { run } from '../process/run.ts';
import { prepareRepository } from '../repository/repository.ts';
import type { Context } from '../service.ts';
import { repositoriesDir } from '../services/git-daemon.ts';
import type { Cluster } from '../start/cluster.ts';
import { ensureNamespace } from '../start/install.ts';
import { until } from './until.ts';

export interface Pod {
  metadata: { name: string; uid: string; namespace: string; labels?: Record<string, string> };
  status?: { phase?: string };
}

/** A namespace with the quickstart's Project and AgentPool, on a repository of its own that nobody else pushes to. */
export interface Team extends AsyncDisposable {
  readonly namespace: string;
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Applies a manifest of `examples/`. */
  applyExample(file: string): Promise<string>;
  create(manifest: unknown): Promise<void>;
  workflow(name: string): Promise<Workflow>;
  /** Tasks of a Workflow by their names in it. */
  tasks(workflow: string): Promise<Record<string, AgentTask>>;
  /** An AgentTask by the name of its object. */
  task(name: string): Promise<AgentTask>;
  /** Waits until the Workflow has ended, whatever the API server does meanwhile. */
  ended(workflow: string, timeoutSeconds?: number): Promise<Workflow>;
  pods(): Promise<Pod[]>;
  /** Published branches and their commits, as the git daemon tells everybody. */
  branches(): Promise<Record<string, string>>;
  /** The tree of a commit, or a file in it. */
  git(args: readonly string[]): Promise<string>;
}

const resources = '/apis/millwright.dev/v1alpha1/namespaces';

/** Makes a team; it goes away with its namespace and its repository. */
export async function createTeam(ctx: Context, cluster: Cluster): Promise<Team> {
  const namespace = `e2e-${randomBytes(4).toString('hex')}`;
  const file = `${namespace}.git`;
  const examples = join(ctx.repository, 'examples');
  const kubectl = (args: readonly string[], input?: string) =>
    cluster.kubectl(['--namespace', namespace, ...args], input);
  const get = <T>(path: string) => apiServer(ctx, 'GET', path) as Promise<T>;

  await using building = new AsyncDisposableStack();
  building.defer(() => rm(join(repositoriesDir(ctx), file), { recursive: true, force: true }));
  const { url } = await prepareRepository(ctx, file);
  building.defer(async () => {
    await cluster.kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
  });
  await ensureNamespace(cluster, namespace);
  const project = readFileSync(join(examples, 'quickstart/project.yaml'), 'utf8');
  await kubectl(['apply', '-f', '-'], project.replace(/^ {4}url: .*$/m, `    url: ${url}`));
  await kubectl(['apply', '-f', join(examples, 'quickstart/agent-pool.yaml')]);

  const everything = building.move();
  const team: Team = {
    namespace,
    kubectl,
    applyExample: (name) => kubectl(['apply', '-f', join(examples, name)]),
    async create(manifest) {
      await kubectl(['create', '-f', '-'], JSON.stringify(manifest));
    },
    workflow: (name) => get(`${resources}/${namespace}/workflows/${name}`),
    async tasks(workflow) {
      const selector = encodeURIComponent(`${labels.workflow}=${workflow}`);
      const { items } = await get<{ items: AgentTask[] }>(
        `${resources}/${namespace}/agenttasks?labelSelector=${selector}`,
      );
      return Object.fromEntries(items.map((task) => [task.metadata.labels?.[labels.task] ?? '', task]));
    },
    task: (name) => get(`${resources}/${namespace}/agenttasks/${name}`),
    ended: (name, timeoutSeconds = 240) =>
      until(
        () => team.workflow(name),
        ({ status }) => isFinished(status?.phase),
        timeoutSeconds,
      ),
    pods: async () => (await get<{ items: Pod[] }>(`/api/v1/namespaces/${namespace}/pods`)).items,
    async branches() {
      const output = await run('git', ['ls-remote', '--heads', url, 'refs/heads/ai/*']);
      const lines = output.split('\n').filter(Boolean);
      return Object.fromEntries(
        lines.map((line) => {
          const [commit = '', ref = ''] = line.split('\t');
          return [ref.replace('refs/heads/', ''), commit];
        }),
      );
    },
    git: (args) => run('git', ['--git-dir', join(repositoriesDir(ctx), file), ...args]),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
  return team;
}
