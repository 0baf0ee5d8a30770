import { DiagLogLevel, diag, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { attr } from './attributes.ts';
import type { TelemetryConfig } from './config.ts';
import type { Logger } from './log.ts';
import type { FinishedSpan, Moment, SpanAttributes, Telemetry } from './telemetry.ts';

const kinds: Record<NonNullable<FinishedSpan['kind']>, SpanKind> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};
const statuses = { ok: SpanStatusCode.OK, error: SpanStatusCode.ERROR } as const;
const scope = { name: 'millwright' };

/** Spans that may wait for export; more are dropped, so that a receiver that is away cannot fill the memory. */
const QUEUE_LIMIT = 8_192;

/** How long a flush or shutdown waits: a receiver that is away must not hold up the end of a process. */
const PATIENCE_MS = 3_000;

/** The telemetry of a process with a receiver; see `startTelemetry`. */
export function startExport(config: TelemetryConfig & { endpoint: string }, logger: Logger): Telemetry {
  diag.setLogger(
    {
      verbose: () => undefined,
      debug: () => undefined,
      info: () => undefined,
      warn: (message, ...details) => logger.warn(`telemetry: ${message}`, { details }),
      error: (message, ...details) => logger.warn(`telemetry: ${message}`, { details }),
    },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const processor = new BatchSpanProcessor({
    exporter: new OTLPTraceExporter({
      url: `${config.endpoint.replace(/\/+$/, '')}/v1/traces`,
      ...(config.headers === undefined ? {} : { headers: config.headers }),
    }),
    maxQueueSize: QUEUE_LIMIT,
    maxExportBatchSize: 512,
    scheduledDelayMillis: 1_000,
  });
  const resource = resourceFromAttributes({
    ...config.attributes,
    [attr.serviceName]: config.serviceName,
    ...(config.serviceVersion === undefined ? {} : { [attr.serviceVersion]: config.serviceVersion }),
    ...(config.instanceId === undefined ? {} : { [attr.serviceInstanceId]: config.instanceId }),
  });
  // Spans here are emitted finished, with ids of their own; the SDK owns the processor, and exports what libraries record through the API.
  // Logs and metrics have ways of their own (JSON lines, Prometheus), so nothing else is detected or exported.
  const sdk = new NodeSDK({
    resource,
    spanProcessors: [processor],
    logRecordProcessors: [],
    metricReaders: [],
    instrumentations: [],
    autoDetectResources: false,
  });
  sdk.start();
  const ratio = config.sampleRatio ?? 1;
  async function quietly(work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    const sent = work.catch((error: unknown) => logger.warn('telemetry could not be sent', { error }));
    await Promise.race([sent, patience]);
    clearTimeout(timer);
  }

  return {
    enabled: true,
    sampled: (traceId) => isSampled(traceId, ratio),
    emit: (span) => {
      if (!isSampled(span.traceId, ratio)) return;
      const readable = readableSpan(span, resource);
      if (readable === undefined) logger.warn('a span without valid ids or times was dropped', { span: span.name });
      else processor.onEnd(readable);
    },
    flush: () => quietly(processor.forceFlush()),
    shutdown: () => quietly(sdk.shutdown()),
  };
}

/** Decides by the last 7 bytes of the trace id, which are uniformly distributed in a hash: no state, no coordination. */
export function isSampled(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true;
  return Number.parseInt(traceId.slice(-14), 16) < ratio * 2 ** 56;
}

/** The SDK's form of a span, or undefined when its ids or times are invalid. */
function readableSpan(span: FinishedSpan, resource: Resource): ReadableSpan | undefined {
  const start = milliseconds(span.start);
  const end = Math.max(start, milliseconds(span.end));
  if (!validIds(span.traceId, span.spanId) || Number.isNaN(end)) return undefined;
  const context = (traceId: string, spanId: string) => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED });
  const own = context(span.traceId, span.spanId);
  return {
    name: span.name,
    kind: kinds[span.kind ?? 'internal'],
    spanContext: () => own,
    ...(span.parentSpanId === undefined ? {} : { parentSpanContext: context(span.traceId, span.parentSpanId) }),
    startTime: hrTime(start),
    endTime: hrTime(end),
    duration: hrTime(end - start),
    ended: true,
    status:
      span.status === undefined
        ? { code: SpanStatusCode.UNSET }
        : {
            code: statuses[span.status.code],
            ...(span.status.message === undefined ? {} : { message: span.status.message }),
          },
    attributes: defined(span.attributes),
    links: (span.links ?? [])
      .filter((link) => validIds(link.traceId, link.spanId))
      .map((link) => ({ context: context(link.traceId, link.spanId), attributes: defined(link.attributes) })),
    events: (span.events ?? []).map((event) => ({
      name: event.name,
      time: hrTime(milliseconds(event.time) || start),
      attributes: defined(event.attributes),
    })),
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function validIds(traceId: string, spanId: string): boolean {
  return /^(?!0+$)[0-9a-f]{32}$/.test(traceId) && /^(?!0+$)[0-9a-f]{16}$/.test(spanId);
}

function milliseconds(moment: Moment): number {
  if (typeof moment === 'number') return moment;
  return typeof moment === 'string' ? Date.parse(moment) : moment.getTime();
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

function defined(attributes: SpanAttributes | undefined): Record<string, Exclude<SpanAttributes[string], undefined>> {
  const kept: Record<string, Exclude<SpanAttributes[string], undefined>> = {};
  for (const [name, value] of Object.entries(attributes ?? {})) if (value !== undefined) kept[name] = value;
  return kept;
}
