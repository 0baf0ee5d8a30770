import { join } from 'node:path';
import { z } from 'zod';
import { amqpUrl, commonVariables, envInteger, readEnvironment, signingKey } from '../shared/config.ts';

const variables = z.object({
  ...commonVariables(8081),
  MILLWRIGHT_SIGNING_KEY: signingKey,
  /** Shared with the gateway, which may read artifacts and nothing else; without it, only attempts may. */
  MILLWRIGHT_ARTIFACT_KEY: signingKey.optional(),
  MILLWRIGHT_AMQP_URL: amqpUrl,
  MILLWRIGHT_DATA_DIR: z.string().min(1).default('/var/lib/millwright'),
  MILLWRIGHT_BUNDLE_DIR: z.string().min(1).optional(),
  MILLWRIGHT_FETCH_WINDOW_SECONDS: envInteger(0, 3600, 2),
  MILLWRIGHT_FETCH_TIMEOUT_SECONDS: envInteger(1, 3600, 300),
  MILLWRIGHT_ATTEMPT_RETENTION_DAYS: envInteger(1, 3650, 30),
  MILLWRIGHT_MAX_PUSH_BYTES: envInteger(1024, 8 * 1024 ** 3, 256 * 1024 ** 2),
  MILLWRIGHT_MAX_ARTIFACT_BYTES: envInteger(1024, 1024 ** 3, 32 * 1024 ** 2),
  MILLWRIGHT_GIT_CONCURRENCY: envInteger(1, 1024, 16),
  MILLWRIGHT_PROJECTS_FILE: z.string().min(1).optional(),
  MILLWRIGHT_FORGE_CREDENTIALS_FILE: z.string().min(1).optional(),
});

export type GitConfig = z.infer<typeof variables> & { MILLWRIGHT_BUNDLE_DIR: string };

/** Reads the environment of the git host. Throws ConfigError with all that is wrong. */
export function readGitConfig(environment: NodeJS.ProcessEnv): GitConfig {
  const config = readEnvironment(variables, environment);
  return {
    ...config,
    MILLWRIGHT_BUNDLE_DIR: config.MILLWRIGHT_BUNDLE_DIR ?? join(config.MILLWRIGHT_DATA_DIR, 'bundles'),
  };
}
