/** Values that OpenTelemetry accepts; undefined ones are left out. */
export type AttributeValue = string | number | boolean | string[] | number[] | boolean[] | undefined;
export type SpanAttributes = Record<string, AttributeValue>;

/** A moment: milliseconds since the epoch, a Date, or an RFC 3339 string as Kubernetes stores it. */
export type Moment = number | Date | string;

/** A span that is over. Its ids are the caller's (see `traceIdOf`, `spanIdOf`), so emitting it twice is harmless. */
export interface FinishedSpan {
  traceId: string;
  spanId: string;
  /** Absent for the root of its trace. */
  parentSpanId?: string | undefined;
  name: string;
  /** `internal` by default. */
  kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  start: Moment;
  /** Not before `start`: an earlier end, as clocks of two machines may give, is taken to be `start`. */
  end: Moment;
  attributes?: SpanAttributes;
  links?: { traceId: string; spanId: string; attributes?: SpanAttributes }[];
  events?: { name: string; time: Moment; attributes?: SpanAttributes }[];
  status?: { code: 'ok' | 'error'; message?: string };
}

/** Where spans go. Nothing here throws or blocks. */
export interface Telemetry {
  /** False when spans go nowhere: then whoever builds costly attributes need not. */
  readonly enabled: boolean;
  /** Whether spans of this trace are kept: the same answer for one trace in every process with the same ratio. */
  sampled(traceId: string): boolean;
  /** Queues a span for export; an invalid or unsampled one is dropped. */
  emit(span: FinishedSpan): void;
  /** Sends what is queued; resolves also when that fails or takes more than 3 s. */
  flush(): Promise<void>;
  /** Sends what is queued, for 3 s at most, and ends; later spans are dropped. */
  shutdown(): Promise<void>;
}

/** Telemetry that goes nowhere and costs nothing. */
export const noTelemetry: Telemetry = {
  enabled: false,
  sampled: () => false,
  emit: () => undefined,
  flush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
