import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startGitHost, type TestGitHost, tokenFor } from '../testing/git-host.ts';
import { maintain } from './maintenance.ts';

let folder: string;
let host: TestGitHost;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millwright-artifacts-'));
  await mkdir(join(folder, 'data'));
  host = await startGitHost(folder, { MILLWRIGHT_MAX_ARTIFACT_BYTES: '65536' });
});
afterEach(async () => {
  await host.close();
  await rm(folder, { recursive: true, force: true });
});

const digestOf = (body: Uint8Array) => `sha256:${createHash('sha256').update(body).digest('hex')}`;
const authorization = (token: string) => ({ authorization: `Bearer ${token}` });
const send = (digest: string, body: RequestInit['body'], token = tokenFor(), headers = {}) =>
  fetch(`${host.url}/artifacts/${digest}`, {
    method: 'PUT',
    body,
    headers: { ...authorization(token), ...headers },
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  } as RequestInit);
const receive = (digest: string, token = tokenFor(), method = 'GET') =>
  fetch(`${host.url}/artifacts/${digest}`, { method, headers: authorization(token) });
const streamed = (body: Uint8Array) => new Blob([new Uint8Array(body)]).stream();

/** Files on the volume, whatever their names. */
const files = async () =>
  (await readdir(join(folder, 'data'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());

describe('artifacts', () => {
  it('gives back what was stored, to the same project only', async () => {
    const body = randomBytes(50_000);
    const digest = digestOf(body);
    expect((await receive(digest)).status).toBe(404);
    expect((await send(digest, streamed(body))).status).toBe(201);
    expect((await send(digest, body)).status).toBe(200);
    const got = await receive(digest, tokenFor({ task: 'task-2', kind: 'verify' }));
    expect(Buffer.from(await got.arrayBuffer()).equals(body)).toBe(true);
    expect(got.headers.get('content-security-policy')).toContain('sandbox');
    const head = await receive(digest, tokenFor(), 'HEAD');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '50000']);
    expect((await receive(digest, tokenFor({ project: 'other' }))).status).toBe(404);
    expect((await receive(digest, tokenFor({ ns: 'rival' }))).status).toBe(404);
  });

  it('takes a compressed body', async () => {
    const body = Buffer.from('hello '.repeat(1000));
    expect((await send(digestOf(body), gzipSync(body), tokenFor(), { 'content-encoding': 'gzip' })).status).toBe(201);
    expect(await (await receive(digestOf(body))).text()).toBe(body.toString());
  });

  const small = Buffer.from('small');
  const large = Buffer.alloc(70_000);
  const refused: [string, () => Promise<Response>, number, RegExp][] = [
    ['another digest', () => send(digestOf(small), 'other'), 422, /have digest sha256:.*, not sha256:/],
    ['no digest', () => send('latest', 'x'), 400, /Name the content by its digest/],
    ['a path', () => send('..%2F..%2Fetc', 'x'), 400, /Name the content by its digest/],
    ['too much, announced', () => send(digestOf(large), large), 413, /At most 65536 bytes/],
    ['too much, streamed', () => send(digestOf(large), streamed(large)), 413, /At most 65536 bytes/],
    [
      'too much, compressed',
      () => send(digestOf(large), gzipSync(large), tokenFor(), { 'content-encoding': 'gzip' }),
      413,
      /At most 65536 bytes/,
    ],
    [
      'what is not gzip',
      () => send(digestOf(small), small, tokenFor(), { 'content-encoding': 'gzip' }),
      400,
      /not gzip/,
    ],
    ['no token', () => send(digestOf(small), small, 'x'), 401, /not a JWT/],
    ["git's token", () => send(digestOf(small), small, tokenFor({ aud: ['git'] })), 401, /not meant for artifacts/],
  ];
  it.each(refused)('refuses %s, and leaves nothing behind', async (_, ask, status, reason) => {
    const response = await ask();
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(reason);
    expect(await files()).toEqual([]);
  });

  it('limits what one attempt may upload in all', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      const body = randomBytes(60_000);
      statuses.push((await send(digestOf(body), body)).status);
    }
    expect(statuses.slice(0, 8)).toEqual(Array(8).fill(201));
    expect(statuses[8]).toBe(413);
    expect((await send(digestOf(small), small, tokenFor({ attempt: 2 }))).status).toBe(201);
  });

  it('stores the same content once when two upload it at the same time', async () => {
    const body = randomBytes(60_000);
    const answers = await Promise.all([1, 2, 3, 4].map((attempt) => send(digestOf(body), body, tokenFor({ attempt }))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    expect(await files()).toHaveLength(1);
  });

  it('removes what is older than the retention', async () => {
    await send(digestOf(small), small);
    await maintain(host.maintenance, Date.now());
    expect((await receive(digestOf(small))).status).toBe(200);
    await maintain(host.maintenance, Date.now() + 31 * 86_400_000);
    expect((await receive(digestOf(small))).status).toBe(404);
  });
});
