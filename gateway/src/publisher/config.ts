import { z } from 'zod';
import { amqpUrl, commonVariables, gitUrls, readEnvironment, signingKey } from '../shared/config.ts';

const variables = z.object({
  ...commonVariables(8082),
  MILLWRIGHT_SIGNING_KEY: signingKey,
  MILLWRIGHT_AMQP_URL: amqpUrl,
  MILLWRIGHT_GIT_URL: gitUrls,
  MILLWRIGHT_WORK_DIR: z.string().min(1).default('/tmp/publisher'),
  MILLWRIGHT_PROJECTS_FILE: z.string().min(1).optional(),
  MILLWRIGHT_FORGE_CREDENTIALS_FILE: z.string().min(1).optional(),
});
export type PublisherConfig = z.infer<typeof variables>;

/** Reads the environment of the publisher. Throws ConfigError with all that is wrong. */
export function readPublisherConfig(environment: NodeJS.ProcessEnv): PublisherConfig {
  return readEnvironment(variables, environment);
}
