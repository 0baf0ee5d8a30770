import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AttemptClaims,
  signAttemptToken,
  signServiceToken,
  TokenError,
  verifyAttemptToken,
  verifyServiceToken,
} from './attempt-token.ts';

const key = 'k'.repeat(32);
const now = 1_700_000_000;
const claims: AttemptClaims = {
  aud: ['git', 'artifacts'],
  ns: 'team-a',
  project: 'uuid',
  task: '6f1c7f0e-0000-4000-8000-000000000001',
  taskName: 'fix.tests',
  workflow: '6f1c7f0e-0000-4000-8000-000000000002',
  attempt: 2,
  kind: 'run',
  revision: 'v1.6.0',
  iat: now,
  exp: now + 60,
};

const reason = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    if (error instanceof TokenError) return error.reason;
    throw error;
  }
  return 'accepted';
};
const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('attempt tokens', () => {
  it('gives back what was signed', () => {
    expect(verifyAttemptToken(signAttemptToken(claims, key), key, 'git', now)).toEqual(claims);
  });

  const token = signAttemptToken(claims, key);
  const [header, payload, signature] = token.split('.');
  const cases: [string, string, string][] = [
    ['another key', signAttemptToken(claims, 'x'.repeat(32)), 'signature'],
    ['a changed payload', `${header}.${b64({ ...claims, project: 'other' })}.${signature}`, 'signature'],
    ['alg none', `${b64({ alg: 'none', typ: 'JWT' })}.${payload}.`, 'signature'],
    ['expired', signAttemptToken({ ...claims, exp: now }, key), 'expired'],
    ['another audience', signAttemptToken({ ...claims, aud: ['artifacts'] }, key), 'audience'],
    [
      'a service token',
      signServiceToken({ aud: ['service'], sub: 'publisher', iat: now, exp: now + 9 }, key),
      'audience',
    ],
    ['no JWT', 'hello', 'malformed'],
    ['empty', '', 'malformed'],
  ];
  it.each(cases)('refuses %s', (_, given, expected) => {
    expect(reason(() => verifyAttemptToken(given, key, 'git', now))).toBe(expected);
  });

  it('refuses every token with one character changed', () => {
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'AbZ09-_.'), (at, char) => {
        const changed = token.slice(0, at) + char + token.slice(at + 1);
        // The last character of unpadded base64 has bits that mean nothing.
        fc.pre(changed !== token && at !== token.length - 1);
        expect(reason(() => verifyAttemptToken(changed, key, 'git', now))).not.toBe('accepted');
      }),
    );
  });

  it.each([
    ['a project that is a path', { project: '../other' }],
    ['a uid that is a path', { task: 'a/../b' }],
    ['a namespace in capitals', { ns: 'Team' }],
  ])('does not sign %s', (_, change) => {
    expect(() => signAttemptToken({ ...claims, ...change }, key)).toThrow();
  });

  it('does not sign with a short key', () => {
    expect(() => signAttemptToken(claims, 'short')).toThrow(/32 bytes/);
  });
});

describe('service tokens', () => {
  const service = { aud: ['service'] as ['service'], sub: 'publisher', iat: now, exp: now + 60 };
  it('gives back what was signed', () => {
    expect(verifyServiceToken(signServiceToken(service, key), key, now)).toEqual(service);
  });
  it('refuses the token of an attempt', () => {
    expect(reason(() => verifyServiceToken(signAttemptToken(claims, key), key, now))).toBe('audience');
  });
});
