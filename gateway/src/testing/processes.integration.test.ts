import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Broker, connect, targets, topology } from '@millwright/broker';
import { createTestVhost } from '@millwright/broker/testing';
import {
  type EffectResultMessage,
  effectMessage,
  effectResultMessage,
  probeMessage,
  probeReply,
  revokeMessage,
} from '@millwright/crds';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { clientGit, commit, failingGit, startForge } from './forge.ts';
import { signingKey, tokenFor } from './git-host.ts';

let cleanUp: AsyncDisposableStack;
let folder: string;
beforeEach(async () => {
  cleanUp = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'millwright-processes-'));
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
});
afterEach(() => cleanUp.disposeAsync());

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

interface Started {
  child: ChildProcess;
  url: string;
  output: () => string;
}

/** Starts a process as its image does, and ends it with the test. */
async function start(name: 'git' | 'publisher' | 'gateway', environment: Record<string, string>): Promise<Started> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', name, 'main.ts')], {
    env: { PATH: process.env.PATH, MILLWRIGHT_HTTP_PORT: String(port), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  cleanUp.defer(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  return { child, url: `http://127.0.0.1:${port}`, output: () => output };
}

const ready = ({ url, output }: Started) =>
  vi.waitFor(
    async () => {
      const answer = await fetch(`${url}/readyz`).catch(() => undefined);
      expect(answer?.status, output()).toBe(200);
    },
    { timeout: 30_000, interval: 100 },
  );
const exitCode = async ({ child }: Started): Promise<number | null> => {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
};

it('carries a commit from a sandbox to the forge, and ends a token when the attempt ends', async () => {
  const vhost = cleanUp.use(await createTestVhost());
  const forge = await startForge(join(folder, 'forge'));
  cleanUp.defer(() => forge.close());
  const upstream = await forge.repository('app');
  const projects = join(folder, 'projects.json');
  await writeFile(projects, JSON.stringify({ 'team/app': { url: upstream.url } }));
  const credentials = join(folder, 'credentials');
  const { username, password } = forge.credentials;
  await writeFile(credentials, `${forge.url.replace('//', `//${username}:${password}@`)}\n`);
  const common = {
    MILLWRIGHT_SIGNING_KEY: signingKey,
    MILLWRIGHT_AMQP_URL: vhost.url,
    MILLWRIGHT_PROJECTS_FILE: projects,
    MILLWRIGHT_FORGE_CREDENTIALS_FILE: credentials,
  };
  const git = await start('git', { ...common, MILLWRIGHT_DATA_DIR: join(folder, 'data') });
  const gateway = await start('gateway', {
    KUBECONFIG: process.env.MILLWRIGHT_TEST_KUBECONFIG ?? '',
    MILLWRIGHT_GIT_URL: git.url,
    MILLWRIGHT_SUPABASE_URL: 'http://127.0.0.1:9',
    MILLWRIGHT_SUPABASE_KEY: 'none',
  });
  const publisher = await start('publisher', {
    ...common,
    MILLWRIGHT_GIT_URL: git.url,
    MILLWRIGHT_WORK_DIR: join(folder, 'publisher'),
  });
  await Promise.all([git, gateway, publisher].map(ready));
  const broker: Broker = await connect({ url: vhost.url, name: 'processes-test', topology: 'declare' });
  cleanUp.defer(() => broker.close());

  const probe = (project: string) =>
    broker.request(targets.probes, probeMessage, { type: 'probe', namespace: 'team', project }, probeReply, {
      timeoutMs: 20_000,
    });
  expect(await probe('app'), git.output()).toMatchObject({ status: 'True', reason: 'Reachable' });
  expect(await probe('gone')).toMatchObject({ status: 'False' });

  const work = join(folder, 'work');
  const remote = `${gateway.url.replace('//', `//x:${tokenFor()}@`)}/git/team/app.git`;
  await clientGit(folder, 'clone', '-q', remote, work);
  const produced = await commit(work, { 'fix.txt': 'fixed' });
  await clientGit(work, 'push', '-q', 'origin', 'HEAD:refs/attempts/task-1/1');

  const answers: EffectResultMessage[] = [];
  await broker.consume(
    topology.answers,
    effectResultMessage,
    (delivery) => {
      answers.push(delivery.message);
      delivery.ack();
    },
    { prefetch: 1 },
  );
  const task = { uid: 'task-1', namespace: 'team', name: 'build' };
  await broker.publish(targets.effects, effectMessage, {
    type: 'publishBranch',
    id: 'task-1:1:branch',
    task,
    attempt: 1,
    retry: 0,
    epoch: 1,
    project: 'app',
    ref: 'refs/attempts/task-1/1',
    commit: produced,
    base: 'refs/workflows/wf-1/base',
    branch: 'ai/generated/wf/build',
    replaces: { committer: 'test@example.com', lines: ['Millwright-Branch: ai/generated/wf/build'] },
  });
  await vi.waitFor(() => expect(answers).toHaveLength(1), { timeout: 20_000 });
  expect(answers[0], publisher.output()).toMatchObject({ ok: true });
  expect(await clientGit(upstream.bare, 'rev-parse', 'refs/heads/ai/generated/wf/build')).toBe(produced);

  await broker.publish(targets.revocations, revokeMessage, { type: 'revoke', task, attempt: 1 });
  await vi.waitFor(
    async () => expect(await failingGit(work, 'ls-remote', 'origin')).toContain('Authentication failed'),
    {
      timeout: 10_000,
    },
  );

  const running = [git, gateway, publisher];
  for (const { child } of running) child.kill('SIGTERM');
  expect(await Promise.all(running.map(exitCode)), running.map(({ output }) => output()).join('\n')).toEqual([0, 0, 0]);
});

it.each([
  [
    'git',
    { MILLWRIGHT_SIGNING_KEY: 'short', MILLWRIGHT_HTTP_PORT: '99999' },
    ['MILLWRIGHT_SIGNING_KEY: must have at least 32 bytes', 'MILLWRIGHT_HTTP_PORT', 'MILLWRIGHT_AMQP_URL: must be set'],
  ],
  [
    'publisher',
    { MILLWRIGHT_AMQP_URL: 'http://x' },
    ['MILLWRIGHT_SIGNING_KEY: must be set', 'must be an amqp:// or amqps:// URL', 'MILLWRIGHT_GIT_URL: must be set'],
  ],
  [
    'gateway',
    { MILLWRIGHT_SUPABASE_URL: 'nowhere', MILLWRIGHT_GIT_URL: 'also nowhere' },
    ['MILLWRIGHT_SUPABASE_URL', 'MILLWRIGHT_SUPABASE_KEY: must be set', 'MILLWRIGHT_GIT_URL'],
  ],
] as const)('%s names all that is wrong with its configuration', async (name, environment, expected) => {
  const started = await start(name, environment);
  expect(await exitCode(started)).toBe(1);
  for (const part of expected) expect(started.output()).toContain(part);
});
