import { createHmac } from 'node:crypto';

/** Claims of a token as Supabase Auth issues them; `sub` is the user's id. */
export interface Claims {
  readonly role: 'anon' | 'authenticated' | 'service_role';
  readonly sub?: string;
  readonly email?: string;
  /** Seconds since 1970. */
  readonly exp?: number;
}

/** Signs a token as Supabase does: a JWT with HS256 (RFC 7519). */
export function signToken(secret: string, claims: Claims): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const payload = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ iss: 'supabase', ...claims })}`;
  return `${payload}.${createHmac('sha256', secret).update(payload).digest('base64url')}`;
}
