import { type FinishedSpan, noTelemetry, type Telemetry } from '@millwright/otel';

/** Telemetry that keeps every span. */
export function recordingTelemetry(): { telemetry: Telemetry; spans: FinishedSpan[] } {
  const spans: FinishedSpan[] = [];
  return { spans, telemetry: { ...noTelemetry, enabled: true, emit: (span) => void spans.push(span) } };
}
