import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectKube, type Kube } from '../shared/kube.ts';
import { recordingLog } from '../testing/git-host.ts';
import { createApp } from './api.ts';
import { createCluster } from './cluster.ts';

type Answer = (response: ServerResponse) => void;
const json = (status: number, body: object, headers: Record<string, string> = {}): Answer => {
  return (response) => response.writeHead(status, headers).end(JSON.stringify(body));
};
const refusal = (code: number, reason: string, message: string, headers = {}) =>
  json(code, { kind: 'Status', code, reason, message }, headers);
const forbidden = refusal(403, 'Forbidden', 'workflows.millwright.dev is forbidden');
const review = (allowed: boolean) => json(201, { status: { allowed } });
const created = json(201, { metadata: { name: 'made' } });

let folder: string;
let server: Server;
let kube: Kube;
let asked: string[];
let waits: number[];
/** What the API server answers, one after the other; the last one stays. */
let answers: Answer[];

beforeEach(async () => {
  asked = [];
  waits = [];
  server = createServer((request, response) => {
    request.resume();
    asked.push(`${request.method} ${request.url?.split('/').at(-1)}`);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), 'millwright-kube-'));
  const KUBECONFIG = join(folder, 'config');
  await writeFile(
    KUBECONFIG,
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: url } }],
      users: [{ name: 'u', user: {} }],
    }),
  );
  kube = await connectKube({ KUBECONFIG });
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await kube.close();
  await rm(folder, { recursive: true, force: true });
});

/** What somebody who asks the API is answered. */
async function ask(what: 'create' | 'cancel', ...given: Answer[]) {
  answers = given;
  const cluster = createCluster(kube, async (ms) => {
    waits.push(ms);
  });
  const app = createApp(recordingLog().log);
  const task = { name: 'build', command: ['make'] };
  app.post('/create', async (c) =>
    c.json(
      await cluster.createWorkflow(
        { namespace: 'team', spec: { projectRef: { name: 'app' }, tasks: [task] } } as never,
        {
          actor: 'user:ada',
        },
      ),
    ),
  );
  app.post('/cancel', async (c) => c.json(await cluster.cancelTask('team', 'build')));
  const response = await app.request(`/${what}`, { method: 'POST' });
  const body = (await response.json()) as { detail?: string; remedy?: string };
  return { status: response.status, again: response.headers.get('retry-after'), ...body };
}
const cut: Answer = (response) => response.destroy();

describe('a refusal that passes', () => {
  it('is outlived', async () => {
    expect((await ask('create', forbidden, forbidden, created)).status).toBe(200);
    expect(waits).toEqual([500, 1500]);
    expect(asked).toEqual(['POST workflows', 'POST workflows', 'POST workflows']);
  });
});

describe('a refusal that stays', () => {
  it("is a misconfiguration where the gateway's roles lack the right, and says which", async () => {
    const answer = await ask('cancel', forbidden, forbidden, forbidden, review(false));
    expect(answer).toMatchObject({ status: 500, again: null, detail: expect.stringContaining('misconfigured') });
    expect(answer.detail).toContain('may not patch agenttasks');
    expect(answer.remedy).toContain('namespace team');
    expect(asked.at(-1)).toBe('POST selfsubjectaccessreviews');
  });

  it("is the cluster's own policy where they have it", async () => {
    const quota = refusal(403, 'Forbidden', 'exceeded quota: workflows');
    const answer = await ask('create', quota, quota, quota, review(true));
    expect(answer).toMatchObject({ status: 403, detail: 'exceeded quota: workflows' });
  });
});

const cases: [string, 'create' | 'cancel', Answer, object][] = [
  ['no name', 'create', refusal(404, 'NotFound', 'gone'), { status: 404 }],
  ['a rule', 'create', refusal(422, 'Invalid', 'no'), { status: 422 }],
  ['a body too large', 'create', refusal(413, 'RequestEntityTooLarge', 'large'), { status: 413 }],
  [
    'too many requests',
    'create',
    refusal(429, 'TooManyRequests', 'slow', { 'retry-after': '7' }),
    { status: 503, again: '7' },
  ],
  [
    'a server that starts or ends',
    'create',
    refusal(503, 'ServiceUnavailable', 'not yet'),
    { status: 503, again: '5' },
  ],
  ['a token that is not taken', 'create', refusal(401, 'Unauthorized', 'who?'), { status: 503, again: '5' }],
  ['an error in the middle of a create', 'create', refusal(500, 'InternalError', 'etcd'), { status: 502, again: null }],
  ['a timeout in the middle of a create', 'create', refusal(504, 'Timeout', 'late'), { status: 502, again: null }],
  ['a connection cut in the middle of a create', 'create', cut, { status: 502, again: null }],
  ['an error in the middle of a cancel', 'cancel', refusal(500, 'InternalError', 'etcd'), { status: 503, again: '5' }],
  ['a connection cut in the middle of a cancel', 'cancel', cut, { status: 503, again: '5' }],
];
it.each(cases)('passes on %s', async (_, what, answer, expected) => {
  expect(await ask(what, answer)).toMatchObject(expected);
  expect(waits).toEqual([]);
});

it('says that nothing was done when there is no connection', async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(await ask('create', created)).toMatchObject({ status: 503, again: '5' });
});
