import { z } from 'zod';
import { commonVariables, gitUrls, httpUrl, readEnvironment, signingKey } from '../shared/config.ts';

const variables = z.object({
  ...commonVariables(8080),
  MILLWRIGHT_GIT_URL: gitUrls,
  /** Shared with the git host; without it, people cannot download artifacts. */
  MILLWRIGHT_ARTIFACT_KEY: signingKey.optional(),
  MILLWRIGHT_SUPABASE_URL: httpUrl,
  /** The `service_role` key: people's requests are made with their own token beside it, which then decides. */
  MILLWRIGHT_SUPABASE_KEY: z.string().min(1),
  /** Where tokens are signed with a shared secret. Shorter than the MAC's digest is too short for HS256. */
  MILLWRIGHT_SUPABASE_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  MILLWRIGHT_SUPABASE_JWKS_URL: httpUrl.optional(),
});

export type GatewayConfig = z.infer<typeof variables> & { MILLWRIGHT_SUPABASE_JWKS_URL: string };

/** Reads the environment of the gateway. Throws ConfigError with all that is wrong. */
export function readGatewayConfig(environment: NodeJS.ProcessEnv): GatewayConfig {
  const config = readEnvironment(variables, environment);
  const base = config.MILLWRIGHT_SUPABASE_URL.replace(/\/$/, '');
  return {
    ...config,
    MILLWRIGHT_SUPABASE_JWKS_URL: config.MILLWRIGHT_SUPABASE_JWKS_URL ?? `${base}/auth/v1/.well-known/jwks.json`,
  };
}
