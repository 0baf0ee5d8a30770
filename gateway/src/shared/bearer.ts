import { z } from 'zod';

/** The bearer token, or the password of Basic, which is what git can send. */
export function bearerOf(authorization: string | undefined): string | undefined {
  const [scheme, value] = authorization?.split(' ') ?? [];
  if (!value) return undefined;
  if (scheme?.toLowerCase() === 'bearer') return value;
  if (scheme?.toLowerCase() !== 'basic') return undefined;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.slice(decoded.indexOf(':') + 1);
}

const scopeSchema = z.object({ ns: z.string(), project: z.string(), workflow: z.string() });

/** The project and Workflow (its uid) that an attempt's token claims to be for. Not checked at all: it gives no right to anything. */
export function scopeOf(token: string | undefined): z.infer<typeof scopeSchema> | undefined {
  const payload = token?.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    return scopeSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  } catch {
    return undefined;
  }
}
