import { hostname } from 'node:os';
import {
  createLogger,
  type Logger,
  type LogLevel,
  startTelemetry,
  type Telemetry,
  telemetryConfig,
  type telemetryEnvironment,
} from '@millwright/otel';
import type { z } from 'zod';
import { ConfigError } from './config.ts';

/** What a process has running: closed in the order that the process decides. */
export interface Running {
  close(): Promise<void>;
}

type CommonConfig = z.infer<typeof telemetryEnvironment> & { MILLWRIGHT_LOG_LEVEL: LogLevel };

/** What a process is given besides its configuration. */
export interface Surroundings {
  log: Logger;
  telemetry: Telemetry;
}

/**
 * Runs a process until SIGTERM or SIGINT: reads its configuration, starts it, closes it.
 * Exits with 1 and all errors on a wrong configuration, with 1 when the start fails or the end takes longer than 25 s, else with 0.
 */
export async function runProcess<Config extends CommonConfig>(
  name: string,
  readConfig: (environment: NodeJS.ProcessEnv) => Config,
  start: (config: Config, surroundings: Surroundings) => Promise<Running>,
): Promise<void> {
  let config: Config;
  try {
    config = readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exitCode = 1;
    return;
  }
  const log = createLogger({ level: config.MILLWRIGHT_LOG_LEVEL, fields: { process: name } });
  // One request's forgotten promise must not end everybody else's.
  process.on('unhandledRejection', (error) => log.error('unhandled rejection', { error }));
  try {
    const telemetry = await startTelemetry(
      telemetryConfig(config, { serviceName: `millwright-${name}`, instanceId: hostname() }),
      log,
    );
    const running = await start(config, { log, telemetry });
    const signal = await new Promise<NodeJS.Signals>((resolve) => {
      process.once('SIGTERM', resolve);
      process.once('SIGINT', resolve);
    });
    log.info('stopping', { signal });
    setTimeout(() => {
      log.error('stopping took too long');
      process.exit(1);
    }, 25_000).unref();
    await running.close();
    await telemetry.shutdown();
    process.exit(0);
  } catch (error) {
    log.error('cannot run', { error });
    process.exit(1);
  }
}
