import type { KeyIdentity, Store } from '@millwright/supabase';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { Problem } from './problem.ts';

/** Who asks: a person with Supabase's token, in whose name the database is asked; or the holder of an API key. */
export type Caller =
  | { type: 'person'; userId: string; actor: string; token: string }
  | { type: 'key'; key: KeyIdentity; actor: string };

export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

const needed = 'Send "Authorization: Bearer <token>" with a Supabase access token or an API key (mwk_…).';
const refused = (detail: string): Problem => new Problem(401, detail, { remedy: needed });

/** Asymmetric algorithms only: a public key must never be taken for an HMAC secret. */
const publicKeyAlgorithms = ['ES256', 'RS256', 'EdDSA'];

export interface IdentityOptions {
  jwtSecret: string | undefined;
  jwksUrl: string;
  /** Looks keys up; with the `service_role` key. */
  keys: Pick<Store, 'identifyApiKey'>;
  /** For how long a key is not looked up again, in milliseconds: a revoked key works as much longer. */
  keyFreshMs: number;
  now?: () => number;
}

/** The key set could not be fetched: a timeout, a status other than 200, or no connection (fetch throws a TypeError). */
const keysAway = (error: unknown): boolean =>
  error instanceof errors.JWKSTimeout ||
  (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC') ||
  error instanceof TypeError;

const MAX_CACHED_KEYS = 10_000;

/** Returns what finds out who sends an `Authorization` header; it throws a Problem, or a StoreError when keys cannot be looked up. */
export function createAuthenticate(options: IdentityOptions): Authenticate {
  const now = options.now ?? Date.now;
  const secret = options.jwtSecret === undefined ? undefined : new TextEncoder().encode(options.jwtSecret);
  const jwks = createRemoteJWKSet(new URL(options.jwksUrl), { timeoutDuration: 5_000 });
  const known = new Map<string, { identity: KeyIdentity; until: number }>();

  const verify = async (token: string): Promise<JWTPayload> => {
    const check = { requiredClaims: ['sub'], currentDate: new Date(now()) };
    if (secret) {
      try {
        return (await jwtVerify(token, secret, { ...check, algorithms: ['HS256'] })).payload;
      } catch (error) {
        // Signed with a key pair: the other way of checking decides.
        if (!(error instanceof errors.JOSEAlgNotAllowed)) throw error;
      }
    }
    return (await jwtVerify(token, jwks, { ...check, algorithms: publicKeyAlgorithms })).payload;
  };

  const person = async (token: string): Promise<Caller> => {
    let payload: JWTPayload;
    try {
      payload = await verify(token);
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw refused('The token has expired.');
      if (keysAway(error))
        throw new Problem(503, 'The keys that sign tokens cannot be fetched.', {
          remedy: 'Try again in a few seconds.',
          cause: error,
        });
      if (error instanceof errors.JOSEError) throw refused('The token is not valid here.');
      throw error;
    }
    if (payload.role !== 'authenticated' || typeof payload.sub !== 'string')
      throw refused("The token is not a person's: its role must be authenticated.");
    return { type: 'person', userId: payload.sub, actor: `user:${payload.sub}`, token };
  };

  const holder = async (text: string): Promise<Caller> => {
    const cached = known.get(text);
    if (cached && cached.until > now())
      return { type: 'key', key: cached.identity, actor: `key:${cached.identity.id}` };
    known.delete(text);
    const key = await options.keys.identifyApiKey(text);
    if (!key) throw refused('The API key is unknown, revoked or expired.');
    if (known.size >= MAX_CACHED_KEYS) known.clear();
    known.set(text, { identity: key, until: now() + options.keyFreshMs });
    return { type: 'key', key, actor: `key:${key.id}` };
  };

  return async (authorization) => {
    const [scheme, token] = authorization?.split(' ') ?? [];
    if (scheme?.toLowerCase() !== 'bearer' || !token) throw refused('The request has no bearer token.');
    return token.startsWith('mwk_') ? holder(token) : person(token);
  };
}
