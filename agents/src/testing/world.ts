/** Everything around one pool's agents, real but for the operator: RabbitMQ, exec servers, git, and agents as processes. */
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { poolPermissions, poolTopicPermissions, poolUser, targets } from '@millwright/broker';
import { createFlakyProxy, createTestVhost, type FlakyProxy } from '@millwright/broker/testing';
import { type GrantMessage, type TaskIdentity, type WorkKind, workMessage } from '@millwright/crds';
import { buildExecServer, type ExecServer, startExecServer } from './exec-server.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { startOperator, type TestOperator } from './operator.ts';

export const NAMESPACE = 'team';
export const TOKEN = 'attempt-token-0123456789abcdef';
export const IMAGE = 'toolchain:1';
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

interface Agent {
  pod: string;
  workspace: ExecServer;
  /** Exit code of the agent's process, or the signal's name. */
  ended: Promise<number | string>;
  output: () => string;
  kill(signal: NodeJS.Signals): void;
}

export interface World extends AsyncDisposable {
  operator: TestOperator;
  gateway: TestGateway;
  proxy: FlakyProxy;
  pool: string;
  queue: string;
  /** The mirror. */
  repository: string;
  /** Starts a sandbox: an exec server and an agent. */
  startAgent(): Agent;
  /** Puts work on the queue and grants its first claim. */
  give(
    kind: WorkKind,
    commands: Partial<GrantMessage['commands']>,
    change?: GrantChange,
    queue?: string,
  ): Promise<TaskIdentity>;
  /** Runs git in the mirror. */
  git(...args: string[]): string;
  /** A commit on top of `parent`, pushed to `ref`, with these files. */
  commit(ref: string, files: Record<string, string>, parent?: string): string;
}

type GrantChange = Partial<Pick<GrantMessage, 'env' | 'timeoutSeconds'>> & { git?: Partial<GrantMessage['git']> };

export const attemptRef = (task: TaskIdentity): string => `refs/attempts/${task.uid}/1`;

export async function createWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'millwright-agents-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const program = buildExecServer();
  const vhost = await createTestVhost();
  stack.defer(() => vhost.remove());
  const operator = await startOperator(vhost.url);
  stack.defer(() => operator.broker.close());

  // Users belong to the whole RabbitMQ, so tests must not share one.
  const pool = `runners-${randomUUID().slice(0, 8)}`;
  const user = poolUser(NAMESPACE, pool);
  await vhost.management.ensureUser({
    name: user,
    password: 'secret',
    permissions: poolPermissions(NAMESPACE),
    topicPermissions: poolTopicPermissions(NAMESPACE),
  });
  stack.defer(() => vhost.management.deleteUser(user));
  const proxy = await createFlakyProxy(vhost.urlFor(user, 'secret'));
  stack.defer(() => proxy.close());
  const queue = await operator.broker.ensureWorkQueue({
    namespace: NAMESPACE,
    engine: 'runner',
    image: IMAGE,
    capabilities: ['node'],
  });
  operator.welcome = { queues: [queue], drain: false };

  const repository = join(folder, 'git', 'app.git');
  mkdirSync(repository, { recursive: true });
  const gateway = await startGateway(join(folder, 'git'), TOKEN);
  stack.defer(() => gateway.close());
  const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim();
  git('init', '-q', '--bare');

  function commit(ref: string, files: Record<string, string>, parent?: string): string {
    const tree = mkdtempSync(join(folder, 'tree-'));
    const run = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], {
        cwd: tree,
        encoding: 'utf8',
      });
    run('init', '-q');
    if (parent !== undefined) {
      run('fetch', '-q', repository, parent);
      run('checkout', '-q', 'FETCH_HEAD');
    }
    for (const [name, content] of Object.entries(files)) writeFileSync(join(tree, name), content);
    run('add', '-A');
    run('commit', '-q', '-m', 'Prepare');
    run('push', '-q', repository, `HEAD:${ref}`);
    return run('rev-parse', 'HEAD').trim();
  }
  git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  commit('refs/workflows/w/base', { 'README.md': 'hello\n' });

  let agents = 0;
  const everything = stack.move();
  return {
    operator,
    gateway,
    proxy,
    pool,
    queue,
    repository,
    git,
    commit,

    startAgent() {
      agents += 1;
      const pod = `${pool}-${agents}`;
      const own = join(folder, pod);
      mkdirSync(own);
      const workspace = startExecServer(program, own);
      let output = '';
      const child = spawn(process.execPath, [join(import.meta.dirname, '../main.ts')], {
        env: {
          MILLWRIGHT_AMQP_URL: proxy.url,
          MILLWRIGHT_NAMESPACE: NAMESPACE,
          MILLWRIGHT_POOL: pool,
          MILLWRIGHT_POD: pod,
          MILLWRIGHT_WORKSPACE_IMAGE: IMAGE,
          MILLWRIGHT_WORKSPACE_SOCKET: workspace.socket,
          MILLWRIGHT_HTTP_PORT: '0',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString();
        });
      const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
      everything.defer(async () => {
        child.kill('SIGKILL');
        workspace.kill('SIGKILL');
        await Promise.all([ended, workspace.ended]);
      });
      return { pod, workspace, ended, output: () => output, kill: (signal) => child.kill(signal) };
    },

    async give(kind, commands, { git: gitChange, env = [], timeoutSeconds = 60 } = {}, to = queue) {
      const uid = randomUUID();
      const task: TaskIdentity = { uid, namespace: NAMESPACE, name: `task-${uid.slice(0, 8)}` };
      const before = operator.decide;
      operator.decide = (claim) => {
        if (claim.task.uid !== uid) return before(claim);
        return {
          type: 'grant',
          kind,
          task,
          attempt: 1,
          token: `${uid}.1.${kind}.1.fence`,
          gitToken: TOKEN,
          artifactToken: TOKEN,
          deadline: new Date(Date.now() + timeoutSeconds * 1000).toISOString(),
          timeoutSeconds,
          git: {
            url: `${gateway.url}/git/app.git`,
            baseRef: 'refs/workflows/w/base',
            dependencies: [],
            pushRef: attemptRef(task),
            author: { name: 'Millwright', email: 'agent@millwright.dev' },
            message: 'Do the work\n\nMillwright-Task: team/task\n',
            ...gitChange,
          },
          artifactsUrl: `${gateway.url}/artifacts`,
          commands: { setup: [], acceptance: [], ...commands },
          env,
        };
      };
      const work = { type: 'work' as const, kind, task, attempt: 1, capabilities: ['node'] };
      await operator.broker.publish(targets.work(to), workMessage, work, {
        messageId: `${uid}:1`,
        traceparent: TRACE,
      });
      return task;
    },

    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}
