/**
 * Bearer tokens for the git host and the artifact store: JWTs (RFC 7519) signed with HS256 (RFC 7515), nothing else accepted.
 * The operator signs one per attempt, the git host verifies it; both hold the same key and nobody else does.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { dnsLabel, integer, text, uid } from './values.ts';

/** The key has at least as many bytes as the digest of the MAC (RFC 7518, 3.2). */
export const MIN_SIGNING_KEY_BYTES = 32;

const numericDate = integer(0, Number.MAX_SAFE_INTEGER);
/** Names of Projects, tasks and namespaces become paths and refs: lower case letters, digits, dashes, and dots inside. */
const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
/** Uids become parts of refs. */
const refSafeUid = uid.regex(/^[A-Za-z0-9][-A-Za-z0-9]*$/);

/** What a token of an attempt says; times are seconds since 1970. */
export const attemptClaims = z.object({
  aud: z.array(z.enum(['git', 'artifacts'])).min(1),
  ns: dnsLabel,
  project: objectName,
  /** Uid of the AgentTask. */
  task: refSafeUid,
  taskName: objectName,
  /** Uid of the Workflow, or of the task when it stands alone: all with the same one start from the same commit. */
  workflow: refSafeUid,
  attempt: integer(1, 1_000),
  /** `verify` reads only. */
  kind: z.enum(['run', 'verify']),
  /** Branch, tag or commit to start from; default: the project's default branch. */
  revision: text(255).min(1).optional(),
  iat: numericDate,
  exp: numericDate,
});
export type AttemptClaims = z.infer<typeof attemptClaims>;

/** What a token of a process of the control plane says. */
export const serviceClaims = z.object({
  aud: z.tuple([z.literal('service')]),
  sub: text(64).min(1),
  iat: numericDate,
  exp: numericDate,
});
export type ServiceClaims = z.infer<typeof serviceClaims>;

/** Why a token is not accepted. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly reason: 'malformed' | 'signature' | 'expired' | 'audience';
  constructor(reason: TokenError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');

function mac(signed: string, key: string): Buffer {
  if (Buffer.byteLength(key) < MIN_SIGNING_KEY_BYTES)
    throw new Error(`the signing key must have at least ${MIN_SIGNING_KEY_BYTES} bytes`);
  return createHmac('sha256', key).update(signed).digest();
}

function sign(claims: object, key: string): string {
  const signed = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${signed}.${mac(signed, key).toString('base64url')}`;
}

const envelope = z.looseObject({ exp: numericDate, aud: z.array(z.unknown()) });

/** Checks signature and expiry and returns the payload, not yet parsed by a schema. */
function open(token: string, key: string, nowSeconds: number): z.infer<typeof envelope> {
  const parts = token.split('.');
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined)
    throw new TokenError('malformed', 'the token is not a JWT');
  const given = Buffer.from(signature, 'base64url');
  const expected = mac(`${header}.${payload}`, key);
  // The header is fixed, so that no other algorithm can be asked for.
  if (header !== HEADER || given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new TokenError('signature', 'the token was not signed by this installation');
  const read = envelope.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  if (!read.success) throw new TokenError('malformed', 'the token lacks exp or aud');
  const claims = read.data;
  if (claims.exp <= nowSeconds) throw new TokenError('expired', 'the token has expired');
  return claims;
}

/** Signs the token of an attempt. `key`: `MILLWRIGHT_SIGNING_KEY`. Throws when the claims or the key are not valid. */
export function signAttemptToken(claims: AttemptClaims, key: string): string {
  return sign(attemptClaims.parse(claims), key);
}

/** Reads the token of an attempt that is meant for `audience`. Throws TokenError. `nowSeconds`: seconds since 1970. */
export function verifyAttemptToken(
  token: string,
  key: string,
  audience: AttemptClaims['aud'][number],
  nowSeconds: number = Date.now() / 1000,
): AttemptClaims {
  const payload = open(token, key, nowSeconds);
  if (!payload.aud.includes(audience)) throw new TokenError('audience', `the token is not meant for ${audience}`);
  const claims = attemptClaims.safeParse(payload);
  if (!claims.success)
    throw new TokenError('malformed', `the token lacks what it must say: ${z.prettifyError(claims.error)}`);
  return claims.data;
}

/** Signs a token for a process of the control plane, for example the publisher. */
export function signServiceToken(claims: ServiceClaims, key: string): string {
  return sign(serviceClaims.parse(claims), key);
}

/** Reads the token of a process of the control plane. Throws TokenError. */
export function verifyServiceToken(token: string, key: string, nowSeconds: number = Date.now() / 1000): ServiceClaims {
  const payload = open(token, key, nowSeconds);
  if (!payload.aud.includes('service')) throw new TokenError('audience', 'the token is not that of a service');
  const claims = serviceClaims.safeParse(payload);
  if (!claims.success) throw new TokenError('malformed', 'the token lacks what it must say');
  return claims.data;
}
