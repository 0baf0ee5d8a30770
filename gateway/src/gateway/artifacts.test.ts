import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signServiceToken } from '@millwright/crds';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signingKey, startGitHost, type TestGitHost, tokenFor } from '../testing/git-host.ts';
import { createArtifactSource } from './artifacts.ts';

const key = 'test-artifact-key-of-32-bytes-or-more';
const content = 'the log of a task';
const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
const app = { namespace: 'team', project: 'app' };

let folder: string;
let host: TestGitHost;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millwright-artifacts-'));
  await mkdir(join(folder, 'data'));
  host = await startGitHost(folder, { MILLWRIGHT_ARTIFACT_KEY: key });
  const headers = { authorization: `Bearer ${tokenFor()}` };
  await fetch(`${host.url}/artifacts/${digest}`, { method: 'PUT', body: content, headers });
});
afterAll(async () => {
  await host.close();
  await rm(folder, { recursive: true, force: true });
});

const source = (change: object = {}) => createArtifactSource({ gitUrls: [host.url], key, ...change });

describe('artifacts for people', () => {
  it('are read from the project they belong to', async () => {
    const { bytes, body } = await source().open(app, digest);
    expect(bytes).toBe(content.length);
    expect(await new Response(body).text()).toBe(content);
  });

  const refused: [string, () => Promise<unknown>, number, RegExp][] = [
    ['another project', () => source().open({ ...app, project: 'other' }, digest), 404, /not kept/],
    ['unknown content', () => source().open(app, `sha256:${'0'.repeat(64)}`), 404, /not kept/],
    ['another key', () => source({ key: signingKey }).open(app, digest), 500, /misconfigured/],
    ['no key', () => source({ key: undefined }).open(app, digest), 501, /does not hand out/],
    ['no git host', () => source({ gitUrls: ['http://127.0.0.1:9'] }).open(app, digest), 503, /cannot be reached/],
  ];
  it.each(refused)('say what is the matter: %s', async (_, open, status, message) => {
    await expect(open()).rejects.toMatchObject({ status, message: expect.stringMatching(message) });
  });
});

describe('the key of the gateway', () => {
  const now = Math.floor(Date.now() / 1000);
  const gatewayToken = signServiceToken({ aud: ['service'], sub: 'gateway', iat: now, exp: now + 60 }, key);
  const ask = (path: string, token: string) =>
    fetch(`${host.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  const status = async (path: string, token: string) => (await ask(path, token)).status;

  it('opens artifacts and nothing else', async () => {
    expect(await status(`/team/app.git/artifacts/${digest}`, gatewayToken)).toBe(200);
    expect(await status('/team/app.git/info/refs?service=git-upload-pack', gatewayToken)).toBe(401);
    expect(await status(`/artifacts/${digest}`, gatewayToken)).toBe(401);
  });

  it('is the only one that opens them so', async () => {
    for (const token of [
      tokenFor(),
      signServiceToken({ aud: ['service'], sub: 'x', iat: now, exp: now + 60 }, signingKey),
    ])
      expect(await status(`/team/app.git/artifacts/${digest}`, token)).toBe(401);
  });
});
