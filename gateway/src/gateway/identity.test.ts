import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type KeyIdentity, StoreError } from '@millwright/supabase';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthenticate } from './identity.ts';
import { Problem } from './problem.ts';

const secret = 'a-secret-of-at-least-32-characters!!';
const bytes = new TextEncoder().encode(secret);
let server: Server;
let jwksUrl: string;
let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let publicKey: object;

beforeAll(async () => {
  pair = await generateKeyPair('ES256', { extractable: true });
  publicKey = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' };
  server = createServer((_, response) => response.end(JSON.stringify({ keys: [publicKey] })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const claims = { role: 'authenticated', sub: 'ada' };
const hs256 = (payload: JWTPayload = claims, exp = '1m', key = bytes, alg = 'HS256') =>
  new SignJWT(payload).setProtectedHeader({ alg }).setExpirationTime(exp).sign(key);
const es256 = (kid = 'one') =>
  new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).setExpirationTime('1m').sign(pair.privateKey);
const unsigned = () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ ...claims, exp: 4e9 })}.`;
};

const identity: KeyIdentity = { id: 'k1', organisationId: 'o1', role: 'viewer', namespaces: ['team-a'] };
const key = `mwk_${'a'.repeat(12)}_${'b'.repeat(43)}`;
const setUp = (change: Partial<Parameters<typeof createAuthenticate>[0]> = {}) =>
  createAuthenticate({
    jwtSecret: secret,
    jwksUrl,
    keys: { identifyApiKey: async (text) => (text === key ? identity : undefined) },
    keyFreshMs: 10_000,
    ...change,
  });

describe('people', () => {
  it.each([
    ['a shared secret', hs256],
    ['a key pair', es256],
  ])('are known by tokens of %s', async (_, token) => {
    expect(await setUp()(`Bearer ${await token()}`)).toMatchObject({
      type: 'person',
      userId: 'ada',
      actor: 'user:ada',
    });
  });

  it('are known by key pairs alone where no secret is set', async () => {
    const authenticate = setUp({ jwtSecret: undefined });
    expect(await authenticate(`Bearer ${await es256()}`)).toMatchObject({ userId: 'ada' });
    await expect(authenticate(`Bearer ${await hs256()}`)).rejects.toMatchObject({ status: 401 });
  });

  const refused: [string, () => Promise<string> | string, RegExp][] = [
    ['another secret', () => hs256(claims, '1m', new TextEncoder().encode('x'.repeat(40))), /not valid here/],
    ['an expired token', () => hs256(claims, '-1s'), /has expired/],
    ['no signature', unsigned, /not valid here/],
    ['an unknown key', () => es256('two'), /not valid here/],
    ['another algorithm', () => hs256(claims, '1m', bytes, 'HS512'), /not valid here/],
    [
      'the public key as a secret',
      () => hs256(claims, '1m', new TextEncoder().encode(JSON.stringify(publicKey))),
      /not valid here/,
    ],
    ["the service's own token", () => hs256({ role: 'service_role', sub: 'x' }), /role must be authenticated/],
    ['an anonymous token', () => hs256({ role: 'anon', sub: 'x' }), /role must be authenticated/],
    ['no subject', () => hs256({ role: 'authenticated' }), /not valid here/],
    ['rubbish', () => 'rubbish', /not valid here/],
  ];
  it.each(refused)('are not known by %s', async (_, token, reason) => {
    const failure = setUp()(`Bearer ${await token()}`);
    await expect(failure).rejects.toBeInstanceOf(Problem);
    await expect(failure).rejects.toMatchObject({ status: 401, message: expect.stringMatching(reason) });
  });

  it('are asked to come back when the keys cannot be fetched', async () => {
    const failure = setUp({ jwksUrl: 'http://127.0.0.1:9/' })(`Bearer ${await es256()}`);
    await expect(failure).rejects.toMatchObject({ status: 503 });
  });

  it.each([undefined, '', 'Bearer', 'Basic YTpi', 'Bearer '])('must send a token: %j', async (header) => {
    await expect(setUp()(header)).rejects.toMatchObject({
      status: 401,
      remedy: expect.stringContaining('Authorization: Bearer'),
    });
  });
});

describe('API keys', () => {
  it('are looked up, and not again for a while', async () => {
    let lookups = 0;
    let now = 0;
    const keys = {
      identifyApiKey: async () => {
        lookups += 1;
        return lookups < 3 ? identity : undefined;
      },
    };
    const authenticate = setUp({ keys, now: () => now });
    for (let i = 0; i < 5; i += 1)
      expect(await authenticate(`Bearer ${key}`)).toMatchObject({ type: 'key', actor: 'key:k1' });
    expect(lookups).toBe(1);
    now = 10_001;
    await authenticate(`Bearer ${key}`);
    expect(lookups).toBe(2);
    now = 20_002;
    await expect(authenticate(`Bearer ${key}`)).rejects.toMatchObject({ status: 401 });
  });

  it('are refused when unknown', async () => {
    await expect(setUp()(`Bearer mwk_unknown`)).rejects.toMatchObject({
      status: 401,
      message: expect.stringContaining('unknown'),
    });
  });

  it('are no proof while the database is away', async () => {
    const keys = { identifyApiKey: () => Promise.reject(new StoreError('unavailable', '', 'away')) };
    await expect(setUp({ keys })(`Bearer ${key}`)).rejects.toBeInstanceOf(StoreError);
  });
});
