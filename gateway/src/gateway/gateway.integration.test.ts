import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SnapshotEvent, Workflow } from '@millwright/crds';
import { type TestDatabase, testDatabase, testNamespace } from '@millwright/local/testing';
import { createStore, type Store } from '@millwright/supabase';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { connectKube, type Kube, KubeError } from '../shared/kube.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';
import { startGitHost, tokenFor } from '../testing/git-host.ts';

let cleanUp: AsyncDisposableStack;
let database: TestDatabase;
let service: Store;
let kube: Kube;
let gateway: TestGateway;
const artifactKey = 'test-artifact-key-of-32-bytes-or-more';
const log = 'the log of a task';
const digest = `sha256:${createHash('sha256').update(log).digest('hex')}`;
/** Belongs to the organisation of Ada (admin), Sue (supervisor) and Vic (viewer). */
let ours: string;
/** Belongs to that of Eve. */
const theirs = 'rivals';

const people = {
  ada: '00000000-0000-4000-8000-00000000000a',
  sue: '00000000-0000-4000-8000-00000000000b',
  vic: '00000000-0000-4000-8000-00000000000c',
  eve: '00000000-0000-4000-8000-00000000000e',
};
type Person = keyof typeof people;

/** The definitions are the cluster's own, and stay: other tests have the same. */
async function ensureDefinitions(): Promise<void> {
  const folder = join(import.meta.dirname, '../../../crds/generated');
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.yaml'))) {
    const definition = parse(await readFile(join(folder, file), 'utf8')) as { spec: { names: { plural: string } } };
    await kube.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition).catch((error: unknown) => {
      if (!(error instanceof KubeError) || error.reason !== 'AlreadyExists') throw error;
    });
    const path = `/apis/millwright.dev/v1alpha1/namespaces/${ours}/${definition.spec.names.plural}`;
    await vi.waitFor(() => kube.get(path), { timeout: 20_000 });
  }
}

const snapshot = (
  kind: SnapshotEvent['kind'],
  namespace: string,
  uid: string,
  second: number,
  status = {},
): SnapshotEvent => ({
  type: 'snapshot',
  id: `${uid}:${second}`,
  namespace,
  at: new Date(Date.UTC(2026, 10, 1, 0, 0, second)).toISOString(),
  kind,
  uid,
  name: uid,
  resourceVersion: String(second + 1),
  project: 'app',
  ...(kind === 'AgentTask' ? { workflowUid: 'wf-1' } : {}),
  createdAt: new Date(Date.UTC(2026, 10, 1, 0, 0, second)).toISOString(),
  spec: { projectRef: { name: 'app' } },
  status,
});

beforeAll(async () => {
  cleanUp = new AsyncDisposableStack();
  const namespace = cleanUp.use(await testNamespace());
  ours = namespace.name;
  database = cleanUp.use(await testDatabase());
  kube = await connectKube({ KUBECONFIG: process.env.MILLWRIGHT_TEST_KUBECONFIG });
  cleanUp.defer(() => kube.close());
  await ensureDefinitions();
  const folder = await mkdtemp(join(tmpdir(), 'millwright-gateway-'));
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'data'));
  const host = await startGitHost(folder, { MILLWRIGHT_ARTIFACT_KEY: artifactKey });
  cleanUp.defer(() => host.close());
  for (const ns of [ours, theirs])
    await fetch(`${host.url}/artifacts/${digest}`, {
      method: 'PUT',
      body: log,
      headers: { authorization: `Bearer ${tokenFor({ ns })}` },
    });
  gateway = await startGateway(
    {
      MILLWRIGHT_GIT_URL: host.url,
      MILLWRIGHT_ARTIFACT_KEY: artifactKey,
      MILLWRIGHT_SUPABASE_URL: database.url,
      MILLWRIGHT_SUPABASE_KEY: database.serviceKey,
      MILLWRIGHT_SUPABASE_JWT_SECRET: database.jwtSecret,
    },
    kube,
  );
  cleanUp.defer(() => gateway.close());
  service = createStore({ url: database.url, key: database.serviceKey });

  const organisations = await database.sql<{ id: string; name: string }>(
    `insert into organisations (name) values ('ours'), ('theirs') returning id, name`,
  );
  const id = (name: string) => organisations.find((row) => row.name === name)?.id;
  await database.sql(
    `insert into members (organisation_id, user_id, role)
     values ($1, $2, 'admin'), ($1, $3, 'supervisor'), ($1, $4, 'viewer'), ($5, $6, 'admin')`,
    [id('ours'), people.ada, people.sue, people.vic, id('theirs'), people.eve],
  );
  await database.sql('insert into namespaces (name, organisation_id) values ($1, $2), ($3, $4)', [
    ours,
    id('ours'),
    theirs,
    id('theirs'),
  ]);
  await service.record([
    snapshot('Project', ours, 'app', 1),
    ...Array.from({ length: 7 }, (_, i) =>
      snapshot('Workflow', ours, `wf-${i}`, i + 2, { phase: i % 2 ? 'Running' : 'Succeeded' }),
    ),
    snapshot('AgentTask', ours, 'build', 10, {
      phase: 'Succeeded',
      tests: '3/3',
      attempt: 1,
      branch: 'ai/generated/a/b',
      result: { artifacts: [{ name: 'run log.txt', digest }] },
    }),
    snapshot('Workflow', theirs, 'secret', 3),
    snapshot('AgentTask', theirs, 'secret-task', 3, { attempt: 1, result: { artifacts: [{ name: 'log', digest }] } }),
  ]);
});
afterAll(() => cleanUp.disposeAsync());

const tokenOf = (person: Person) =>
  database.token({ role: 'authenticated', sub: people[person], exp: Math.floor(Date.now() / 1000) + 60 });

// biome-ignore lint/suspicious/noExplicitAny: what comes back is what is tested
type Json = any;
async function call(
  token: string,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${gateway.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: await response.json() };
}
const get = (person: Person, path: string) => call(tokenOf(person), 'GET', path);
const names = (answer: { body: Json }): string[] => answer.body.items.map(({ name }: { name: string }) => name);

describe('reading', () => {
  it('pages through workflows, newest first, without gaps', async () => {
    const seen: string[] = [];
    for (let path = '/workflows?limit=3'; path !== ''; ) {
      const page = await get('vic', path);
      expect(page.status).toBe(200);
      seen.push(...names(page));
      path = page.body.next ? `/workflows?limit=3&cursor=${page.body.next}` : '';
    }
    expect(seen).toEqual(['wf-6', 'wf-5', 'wf-4', 'wf-3', 'wf-2', 'wf-1', 'wf-0']);
  });

  it('filters', async () => {
    expect(names(await get('vic', '/workflows?phase=Running'))).toEqual(['wf-5', 'wf-3', 'wf-1']);
    expect(names(await get('vic', `/tasks?workflowUid=wf-1&namespace=${ours}`))).toEqual(['build']);
    expect(names(await get('vic', '/tasks?workflowUid=wf-2'))).toEqual([]);
    expect(names(await get('vic', '/projects'))).toEqual(['app']);
  });

  it('shows documents', async () => {
    const task = await get('vic', `/tasks/${ours}/build`);
    expect(task.body).toMatchObject({
      name: 'build',
      tests: '3/3',
      workflowUid: 'wf-1',
      status: { branch: 'ai/generated/a/b' },
    });
    expect((await get('vic', `/projects/${ours}/app`)).body.spec.projectRef.name).toBe('app');
    expect((await get('vic', `/workflows/${ours}/wf-3?uid=wf-3`)).body.phase).toBe('Running');
    expect((await get('vic', `/workflows/${ours}/wf-3?uid=wf-4`)).status).toBe(404);
  });

  it("shows nothing of another organisation, though the service's key opens the door", async () => {
    for (const path of ['/workflows', '/tasks', '/projects']) {
      expect(names(await get('vic', `${path}?namespace=${theirs}`))).toEqual([]);
      expect(names(await get('eve', `${path}?namespace=${ours}`))).toEqual([]);
    }
    expect(names(await get('eve', '/workflows'))).toEqual(['secret']);
    expect((await get('vic', `/workflows/${theirs}/secret`)).status).toBe(404);
    expect((await get('eve', `/tasks/${ours}/build`)).status).toBe(404);
    const stranger = database.token({ role: 'authenticated', sub: crypto.randomUUID(), exp: 4e9 });
    expect(names(await call(stranger, 'GET', '/workflows'))).toEqual([]);
  });

  it('refuses a cursor that is not ours', async () => {
    const answer = await get('vic', '/workflows?cursor=abc');
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'cursor']);
  });
});

const body = (change: object = {}) => ({
  namespace: ours,
  spec: { projectRef: { name: 'app' }, tasks: [{ name: 'build', command: ['make'] }] },
  ...change,
});
const path = (name: string) => `/apis/millwright.dev/v1alpha1/namespaces/${ours}/workflows/${name}`;

describe('writing', () => {
  it.each(['ada', 'sue'] as const)('%s creates and cancels a workflow, and both are audited', async (person) => {
    const name = `run-${person}`;
    const created = await call(tokenOf(person), 'POST', '/workflows', body({ name }));
    expect(created).toMatchObject({ status: 201, body: { namespace: ours, name } });
    const before = await kube.get<Workflow>(path(name));
    expect(before.metadata.annotations?.['millwright.dev/requested-by']).toBe(`user:${people[person]}`);
    expect(before.spec.cancel).toBe(false);
    for (let again = 0; again < 2; again += 1)
      expect((await call(tokenOf(person), 'POST', `/workflows/${ours}/${name}/cancel`)).status).toBe(202);
    expect((await kube.get<Workflow>(path(name))).spec.cancel).toBe(true);
    const rows = await database.sql<{ action: string; actor: string; address: string }>(
      'select action, actor, address from audit where subject = $1 order by at',
      [`Workflow ${ours}/${name}`],
    );
    expect(rows.map(({ action }) => action)).toEqual(['workflow.create', 'workflow.cancel', 'workflow.cancel']);
    expect(rows[0]).toMatchObject({ actor: `user:${people[person]}`, address: '127.0.0.1' });
  });

  it('makes a name when none is given', async () => {
    const created = await call(tokenOf('ada'), 'POST', '/workflows', body());
    expect(created.body.name).toMatch(/^app-[a-z0-9]{5}$/);
  });

  it('cancels a task', async () => {
    await kube.create(`/apis/millwright.dev/v1alpha1/namespaces/${ours}/agenttasks`, {
      apiVersion: 'millwright.dev/v1alpha1',
      kind: 'AgentTask',
      metadata: { name: 'alone' },
      spec: { projectRef: { name: 'app' }, command: ['make'] },
    });
    expect((await call(tokenOf('sue'), 'POST', `/tasks/${ours}/alone/cancel`)).status).toBe(202);
    expect((await call(tokenOf('sue'), 'POST', `/tasks/${ours}/nothing/cancel`)).status).toBe(404);
  });

  const refused: [string, Person, () => [string, object?], number, RegExp][] = [
    ['a viewer', 'vic', () => ['/workflows', body()], 403, /As viewer you may look, not change/],
    ['a viewer who cancels', 'vic', () => [`/workflows/${ours}/run-ada/cancel`], 403, /As viewer/],
    [
      'somebody of another organisation',
      'eve',
      () => ['/workflows', body()],
      403,
      /does not belong to an organisation of yours/,
    ],
    ['a namespace of nobody', 'ada', () => ['/workflows', body({ namespace: 'default' })], 403, /does not belong/],
    ['a name that is taken', 'ada', () => ['/workflows', body({ name: 'run-ada' })], 409, /already exists/],
    [
      'what the rules of the cluster refuse',
      'ada',
      () => [
        '/workflows',
        body({ spec: { projectRef: { name: 'app' }, tasks: [{ name: 'x', command: ['a'], prompt: 'b' }] } }),
      ],
      422,
      /set exactly one of prompt/,
    ],
  ];
  it.each(refused)('refuses %s', async (_, person, request, status, reason) => {
    const [where, what] = request();
    const answer = await call(tokenOf(person), 'POST', where, what);
    expect(answer.body.detail).toMatch(reason);
    expect(answer.status).toBe(status);
  });
});

describe('API keys', () => {
  const keyFor = async (role: 'viewer' | 'supervisor', organisation = 'ours') => {
    const [row] = await database.sql<{ id: string }>('select id from organisations where name = $1', [organisation]);
    return service.createApiKey({ organisationId: row?.id ?? '', name: role, role });
  };

  it('see the namespaces of their organisation and do what their role may', async () => {
    const viewer = await keyFor('viewer');
    expect(names(await call(viewer.key, 'GET', '/tasks'))).toEqual(['build']);
    expect((await call(viewer.key, 'GET', `/tasks/${ours}/build`)).status).toBe(200);
    expect(names(await call(viewer.key, 'GET', `/tasks?namespace=${theirs}`))).toEqual([]);
    expect((await call(viewer.key, 'GET', `/tasks/${theirs}/secret-task`)).status).toBe(404);
    expect((await call(viewer.key, 'POST', '/workflows', body())).status).toBe(403);
    const supervisor = await keyFor('supervisor');
    expect((await call(supervisor.key, 'POST', '/workflows', body({ name: 'by-key' }))).status).toBe(201);
    expect((await call(supervisor.key, 'POST', '/workflows', body({ namespace: theirs }))).status).toBe(403);
    const made = await kube.get<Workflow>(path('by-key'));
    expect(made.metadata.annotations?.['millwright.dev/requested-by']).toBe(`key:${supervisor.id}`);
  });

  it('see nothing any more once they are revoked, though they are still known for a moment', async () => {
    const { key, id } = await keyFor('viewer');
    expect(names(await call(key, 'GET', '/tasks'))).toEqual(['build']);
    await service.revokeApiKey(id);
    expect(names(await call(key, 'GET', '/tasks'))).toEqual([]);
  });

  it('see all namespaces of their organisation at once', async () => {
    const { key } = await keyFor('viewer', 'theirs');
    await database.sql(
      `insert into namespaces (name, organisation_id) select 'rivals-2', id from organisations where name = 'theirs'`,
    );
    await service.record([snapshot('Workflow', 'rivals-2', 'second', 40)]);
    expect(names(await call(key, 'GET', '/workflows'))).toEqual(['second', 'secret']);
    expect(names(await call(key, 'GET', `/workflows?namespace=${theirs}`))).toEqual(['secret']);
  });
});

describe('artifacts', () => {
  const download = (token: string, namespace: string, task: string, wanted = digest) =>
    fetch(`${gateway.url}/api/v1/tasks/${namespace}/${task}/artifacts/${wanted}`, {
      headers: { authorization: `Bearer ${token}` },
    });

  it('are downloaded by people and by the holders of keys, of their organisation only', async () => {
    const [row] = await database.sql<{ id: string }>(`select id from organisations where name = 'ours'`);
    const { key } = await service.createApiKey({ organisationId: row?.id ?? '', name: 'reader', role: 'viewer' });
    for (const token of [tokenOf('vic'), key]) {
      const answer = await download(token, ours, 'build');
      expect(await answer.text()).toBe(log);
      expect(answer.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''run%20log.txt");
      expect(answer.headers.get('content-type')).toBe('application/octet-stream');
      expect((await download(token, theirs, 'secret-task')).status).toBe(404);
      expect((await download(token, ours, 'build', `sha256:${'0'.repeat(64)}`)).status).toBe(404);
    }
    expect((await download(tokenOf('eve'), ours, 'build')).status).toBe(404);
    expect((await download(tokenFor(), ours, 'build')).status).toBe(401);
  });
});

describe('with the database away', () => {
  it('says so, and goes on when it is back', async () => {
    await database.stopPostgrest();
    const away = await get('ada', '/workflows');
    expect(away).toMatchObject({ status: 503, body: { remedy: expect.stringContaining('Try again') } });
    expect((await call(tokenOf('ada'), 'POST', '/workflows', body())).status).toBe(503);
    await database.startPostgrest();
    await expect.poll(async () => (await get('ada', '/workflows')).status, { timeout: 20_000 }).toBe(200);
  });
});
