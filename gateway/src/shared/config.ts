import { MIN_SIGNING_KEY_BYTES } from '@millwright/crds';
import { telemetryEnvironment } from '@millwright/otel';
import { z } from 'zod';

/** The environment is not what the process needs; the message lists every variable that is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Parses the environment. Empty strings count as absent, as in a chart's unset values.
 * Throws ConfigError with all that is wrong at once.
 */
export function readEnvironment<T>(schema: z.ZodType<T>, environment: NodeJS.ProcessEnv): T {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return `  ${name}: ${given[name] === undefined && issue.code === 'invalid_type' ? 'must be set' : issue.message}`;
  });
  throw new ConfigError(`The environment is not valid:\n${lines.join('\n')}`);
}

const number = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
/** A whole number between two bounds, with a default. */
export const envInteger = (min: number, max: number, fallback: number) => number(min, max).default(fallback);

/** What every process listens on, how much it logs, and where its traces go. */
export const commonVariables = (port: number) => ({
  ...telemetryEnvironment.shape,
  MILLWRIGHT_HTTP_PORT: envInteger(0, 65_535, port),
  MILLWRIGHT_HTTP_HOST: z.string().min(1).optional(),
  MILLWRIGHT_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

export const amqpUrl = z.url({ protocol: /^amqps?$/, error: 'must be an amqp:// or amqps:// URL' });
export const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' });

/** Shared by operator, git host and publisher. */
export const signingKey = z
  .string()
  .refine(
    (key) => Buffer.byteLength(key) >= MIN_SIGNING_KEY_BYTES,
    `must have at least ${MIN_SIGNING_KEY_BYTES} bytes`,
  );

/** Addresses of the git hosts in a stable order, since projects are spread over them. */
export const gitUrls = z
  .string()
  .transform((list) => list.split(',').map((url) => url.trim().replace(/\/$/, '')))
  .pipe(z.array(httpUrl).min(1));
