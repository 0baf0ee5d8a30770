import {
  type AttemptClaims,
  type RevokeMessage,
  TokenError,
  verifyAttemptToken,
  verifyServiceToken,
} from '@millwright/crds';
import { bearerOf } from '../shared/bearer.ts';
import type { IsOver } from './attempts.ts';

/** Who asks: an attempt, for its own project; or a process of the control plane, which reads all. */
export type Caller = { type: 'attempt'; claims: AttemptClaims } | { type: 'service'; name: string };

/** The request is refused; `status` is the HTTP status. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
  readonly status: 401 | 403;
  constructor(status: 401 | 403, message: string) {
    super(message);
    this.status = status;
  }
}

/** The longest that a token lives: the longest timeout of a task, and a grace period. Seconds. */
const MAX_TOKEN_LIFE = 2 * 86_400;

/** Attempts whose end was told by a message. Kept in memory until their tokens have expired anyway. */
export interface Revocations {
  apply(message: RevokeMessage): void;
  covers(claims: AttemptClaims): boolean;
}

/** `now`: milliseconds since 1970. */
export function createRevocations(now: () => number = Date.now): Revocations {
  // Insertion order is order of expiry, since every entry lives equally long.
  const ended = new Map<string, number>();
  const key = (uid: string, attempt: number) => `${uid}:${attempt}`;
  return {
    apply: (message) => {
      const seconds = now() / 1000;
      for (const [id, at] of ended) {
        if (at + MAX_TOKEN_LIFE > seconds) break;
        ended.delete(id);
      }
      const id = key(message.task.uid, message.attempt);
      ended.delete(id);
      ended.set(id, seconds);
    },
    covers: (claims) => {
      const at = ended.get(key(claims.task, claims.attempt));
      if (at === undefined) return false;
      // Verification has the attempt's number too, and may begin after the attempt's own token was revoked.
      return claims.kind === 'run' || claims.iat < Math.floor(at);
    },
  };
}

/**
 * Who sends this `Authorization` header. Throws AccessError, with a reason that the holder of the token may know.
 * @param audience what the token must be meant for
 */
export async function authenticate(
  authorization: string | undefined,
  audience: AttemptClaims['aud'][number],
  options: { signingKey: string; revocations: Revocations; isOver: IsOver; now?: () => number },
): Promise<Caller> {
  const token = bearerOf(authorization);
  if (token === undefined)
    throw new AccessError(
      401,
      'Send the token of the attempt as bearer token, or as password of Basic authentication.',
    );
  const seconds = (options.now ?? Date.now)() / 1000;
  let claims: AttemptClaims;
  try {
    claims = verifyAttemptToken(token, options.signingKey, audience, seconds);
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    if (error.reason === 'audience') {
      const service = asService(token, options.signingKey, seconds);
      if (service) return service;
    }
    throw new AccessError(401, `Not accepted: ${error.message}.`);
  }
  if (options.revocations.covers(claims) || (await options.isOver(claims)))
    throw new AccessError(401, 'Not accepted: the attempt has ended.');
  return { type: 'attempt', claims };
}

/** Throws AccessError unless the token is the API's, which reads artifacts for people. @param key `MILLWRIGHT_ARTIFACT_KEY` */
export function requireArtifactReader(authorization: string | undefined, key: string | undefined): void {
  const token = bearerOf(authorization);
  if (token === undefined || key === undefined || !asService(token, key, Date.now() / 1000))
    throw new AccessError(401, 'Only the API reads artifacts here; it takes an access token or an API key.');
}

function asService(token: string, key: string, seconds: number): Caller | undefined {
  try {
    return { type: 'service', name: verifyServiceToken(token, key, seconds).sub };
  } catch (error) {
    if (error instanceof TokenError) return undefined;
    throw error;
  }
}

/** Limits the bytes that one attempt may send in all; in memory, for as long as a token can live. */
export function createAllowance(
  limit: number,
  now: () => number = Date.now,
): (claims: AttemptClaims, bytes: number) => boolean {
  const used = new Map<string, { bytes: number; until: number }>();
  return (claims, bytes) => {
    const seconds = now() / 1000;
    const id = `${claims.task}:${claims.attempt}:${claims.kind}`;
    const entry = used.get(id) ?? { bytes: 0, until: seconds + MAX_TOKEN_LIFE };
    if (entry.bytes + bytes > limit) return false;
    entry.bytes += bytes;
    if (!used.has(id)) {
      for (const [old, { until }] of used) {
        if (until > seconds) break;
        used.delete(old);
      }
      used.set(id, entry);
    }
    return true;
  };
}
