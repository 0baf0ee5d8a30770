import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { traceIdOf, traceparent } from '@millwright/otel';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { clientGit, commit, type Forge, failingGit, startForge } from '../testing/forge.ts';
import { noKube, startGateway, type TestGateway } from '../testing/gateway.ts';
import { startGitHost, type TestGitHost, tokenFor } from '../testing/git-host.ts';
import { recordingTelemetry } from '../testing/telemetry.ts';

// Dozens of git programs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
let forge: Forge;
let hosts: TestGitHost[];
let gateway: TestGateway;
const recorded = { gateway: recordingTelemetry(), git: recordingTelemetry() };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millwright-proxy-'));
  forge = await startForge(join(folder, 'forge'));
  const { url } = await forge.repository('app');
  const names = Array.from({ length: 6 }, (_, i) => `app-${i}`);
  const { mkdir } = await import('node:fs/promises');
  hosts = [];
  for (const name of ['one', 'two']) {
    await mkdir(join(folder, name));
    const host = await startGitHost(join(folder, name), {}, async () => false, recorded.git.telemetry);
    await host.setProjects(
      Object.fromEntries(names.map((project) => [`team/${project}`, { url, credentials: forge.credentials }])),
    );
    hosts.push(host);
  }
  const urls = hosts.map((host) => host.url).join(',');
  gateway = await startGateway({ MILLWRIGHT_GIT_URL: urls }, noKube, recorded.gateway.telemetry);
});
afterAll(async () => {
  await gateway.close();
  for (const host of hosts) await host.close();
  await forge.close();
  await rm(folder, { recursive: true, force: true });
});

const remote = (project: string, token = tokenFor({ project })) =>
  `${gateway.url.replace('//', `//x:${token}@`)}/git/team/${project}.git`;

it('clones, pushes and pushes in pieces through one address', async () => {
  const work = join(folder, 'work');
  await clientGit(folder, 'clone', '-q', remote('app-0'), work);
  await commit(work, { 'a.txt': '1' });
  await clientGit(work, 'push', '-q', 'origin', 'HEAD:refs/attempts/task-1/1');
  const random = () => randomBytes(300_000).toString('base64');
  const large = await commit(work, { 'b.txt': random(), 'c.txt': random() });
  await clientGit(work, 'config', 'http.postBuffer', '65536');
  await clientGit(work, 'push', '-q', 'origin', 'HEAD:refs/attempts/task-1/1');
  expect(await clientGit(work, 'ls-remote', 'origin', 'refs/attempts/task-1/1')).toContain(large);
  expect(await failingGit(work, 'push', 'origin', 'HEAD:refs/heads/main')).toContain('this token may push');
});

it('passes the trace on: the sandbox is above the gateway, and that above the git host', async () => {
  const step = 'b7ad6b7169203331';
  const context = traceparent(traceIdOf('wf-1'), step);
  const work = join(folder, 'traced');
  await clientGit(folder, 'clone', '-q', remote('app-1'), work);
  await commit(work, { 'a.txt': '1' });
  await clientGit(
    work,
    '-c',
    `http.extraHeader=traceparent: ${context}`,
    'push',
    '-q',
    'origin',
    'HEAD:refs/attempts/task-1/1',
  );
  const passed = recorded.gateway.spans;
  expect(passed.map(({ name }) => name)).toEqual([
    'GET /git/:namespace/:repository/*',
    'POST /git/:namespace/:repository/*',
  ]);
  expect(passed.map(({ parentSpanId }) => parentSpanId)).toEqual([step, step]);
  expect(recorded.git.spans.map(({ name }) => name)).toEqual([
    'GET /:namespace/:repository/info/refs',
    'POST /:namespace/:repository/git-receive-pack',
  ]);
  expect(recorded.git.spans.map(({ parentSpanId }) => parentSpanId)).toEqual(passed.map(({ spanId }) => spanId));
});

it('passes the reasons of the git host on', async () => {
  expect(await failingGit(folder, 'ls-remote', remote('app-0', tokenFor({ project: 'other' })))).toContain(
    'for project team/other',
  );
  expect(await failingGit(folder, 'ls-remote', remote('gone'))).toContain('Project team/gone does not exist');
});

it('asks the same replica for git and artifacts of a project, and spreads projects', async () => {
  const seen = new Set<number>();
  for (let i = 0; i < 6; i += 1) {
    const project = `app-${i}`;
    const token = tokenFor({ project });
    await clientGit(folder, 'ls-remote', remote(project, token));
    const body = randomBytes(100);
    const path = `/artifacts/sha256:${createHash('sha256').update(body).digest('hex')}`;
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(gateway.url + path, { method: 'PUT', body, headers })).status).toBe(201);
    const got = await fetch(gateway.url + path, { headers });
    expect(Buffer.from(await got.arrayBuffer()).equals(body)).toBe(true);
    const head = await fetch(gateway.url + path, { method: 'HEAD', headers });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '100']);
    const holders = await Promise.all(hosts.map(async (host) => (await fetch(host.url + path, { headers })).status));
    expect([...holders].sort()).toEqual([200, 404]);
    const holder = holders.indexOf(200);
    const mirrors = join(folder, ['one', 'two'][holder] ?? '', 'data', 'mirrors', 'team', `${project}.git`);
    expect(await clientGit(mirrors, 'rev-parse', '--is-bare-repository')).toBe('true');
    seen.add(holder);
  }
  expect(seen.size).toBe(2);
});

it('says so when the git host is away', async () => {
  const alone = await startGateway({});
  const response = await fetch(`${alone.url}/git/team/app.git/info/refs?service=git-upload-pack`);
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await response.text()).toContain('cannot be reached');
  await alone.close();
});

it('refuses an artifact without a token', async () => {
  const response = await fetch(`${gateway.url}/artifacts/sha256:${'0'.repeat(64)}`);
  expect(response.status).toBe(401);
});
