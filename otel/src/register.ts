import type { TelemetryConfig } from './config.ts';
import { type Logger, silentLogger } from './log.ts';
import { noTelemetry, type Telemetry } from './telemetry.ts';

/**
 * Starts telemetry: spans go in batches to `config.endpoint` over OTLP/HTTP. Without an endpoint, or disabled, nothing is
 * loaded and every call is empty. Resolves without waiting for the receiver; a receiver that is away costs spans only.
 * @param logger hears of export failures
 */
export async function startTelemetry(config: TelemetryConfig, logger: Logger = silentLogger): Promise<Telemetry> {
  if (config.disabled || config.endpoint === undefined || config.endpoint === '') return noTelemetry;
  // The SDK costs half a second and 25 MB to load, which a process without a receiver should not pay.
  const { startExport } = await import('./export.ts');
  return startExport({ ...config, endpoint: config.endpoint }, logger);
}
