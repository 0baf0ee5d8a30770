import { telemetryEnvironment } from '@millwright/otel';
import { z } from 'zod';

const path = z.string().regex(/^\//, 'must be an absolute path');
const name = z.string().min(1).max(253);

const environment = z.object({
  /** Broker URL with the user of the pool. */
  MILLWRIGHT_AMQP_URL: z.url({ protocol: /^amqps?$/ }),
  MILLWRIGHT_NAMESPACE: name.max(63),
  MILLWRIGHT_POOL: name,
  MILLWRIGHT_POD: name,
  /** Image that the workspace container runs: tasks for other images are not for this sandbox. */
  MILLWRIGHT_WORKSPACE_IMAGE: z.string().min(1).max(512),
  MILLWRIGHT_ENGINE: z.enum(['runner']).default('runner'),
  /** Socket of the exec server. */
  MILLWRIGHT_WORKSPACE_SOCKET: path,
  /** How long to wait for the exec server: its container's image may still be on its way. */
  MILLWRIGHT_WORKSPACE_TIMEOUT_SECONDS: z.coerce.number().int().min(1).max(86_400).default(600),
  /** A listening socket that this process was started with: used in place of the port. */
  MILLWRIGHT_HTTP_FD: z.coerce.number().int().min(3).optional(),
  MILLWRIGHT_HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  MILLWRIGHT_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  ...telemetryEnvironment.shape,
});
export type Config = z.infer<typeof environment>;

/** The environment is wrong; the message lists everything that is. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the settings of an agent.
 * @throws ConfigError
 */
export function readConfig(variables: NodeJS.ProcessEnv): Config {
  const parsed = environment.safeParse(variables);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`the environment is wrong:\n${lines.join('\n')}`);
}
