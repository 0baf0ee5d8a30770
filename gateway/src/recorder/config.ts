import { z } from 'zod';
import { amqpUrl, commonVariables, envInteger, httpUrl, readEnvironment } from '../shared/config.ts';

const variables = z.object({
  ...commonVariables(8083),
  MILLWRIGHT_AMQP_URL: amqpUrl,
  /** Of the Supabase project. */
  MILLWRIGHT_SUPABASE_URL: httpUrl,
  /** The `service_role` key. */
  MILLWRIGHT_SUPABASE_KEY: z.string().min(1),
  MILLWRIGHT_RECORDER_BATCH_SIZE: envInteger(1, 500, 500),
  /** How long the first message of a batch waits for others, in milliseconds. */
  MILLWRIGHT_RECORDER_BATCH_WAIT_MS: envInteger(0, 10_000, 50),
  /** How long the timeline is kept: output, progress, snapshots. The history of Workflows, tasks and attempts stays. */
  MILLWRIGHT_EVENT_RETENTION_DAYS: envInteger(1, 3650, 90),
});
export type RecorderConfig = z.infer<typeof variables>;

/** Reads the environment of the recorder. Throws ConfigError with all that is wrong. */
export const readRecorderConfig = (environment: NodeJS.ProcessEnv): RecorderConfig =>
  readEnvironment(variables, environment);
