import { z } from 'zod';

const answer = z.object({
  data: z.array(
    z.object({
      spans: z.array(
        z.object({
          spanID: z.string(),
          operationName: z.string(),
          processID: z.string(),
          references: z.array(z.object({ refType: z.string(), traceID: z.string(), spanID: z.string() })),
          tags: z.array(z.object({ key: z.string(), value: z.unknown() })),
        }),
      ),
      processes: z.record(
        z.string(),
        z.object({ serviceName: z.string(), tags: z.array(z.object({ key: z.string(), value: z.unknown() })) }),
      ),
    }),
  ),
});

export interface Span {
  id: string;
  name: string;
  service: string;
  /** The process that sent it. */
  instance: unknown;
  parent: string | undefined;
  tags: Record<string, unknown>;
}

/** The spans of a trace, each once, as Jaeger returns them; [] while it does not know the trace. */
export async function traceOf(jaegerUrl: string, traceId: string): Promise<Span[]> {
  const response = await fetch(`${jaegerUrl}/api/traces/${traceId}`, { signal: AbortSignal.timeout(10_000) });
  if (response.status === 404) return [];
  const { data } = answer.parse(await response.json());
  const spans = data.flatMap(({ spans, processes }) =>
    spans.map(
      (span): Span => ({
        id: span.spanID,
        name: span.operationName,
        service: processes[span.processID]?.serviceName ?? '',
        instance: processes[span.processID]?.tags.find(({ key }) => key === 'service.instance.id')?.value,
        parent: span.references.find(({ refType, traceID }) => refType === 'CHILD_OF' && traceID === traceId)?.spanID,
        tags: Object.fromEntries(span.tags.map(({ key, value }) => [key, value])),
      }),
    ),
  );
  // Whoever is not sure that a span has arrived sends it again, under the same id.
  return [...new Map(spans.map((span) => [span.id, span])).values()];
}

export const rootsOf = (spans: readonly Span[]): Span[] => spans.filter(({ parent }) => parent === undefined);

/** Spans whose parent is not in the trace. */
export function orphansOf(spans: readonly Span[]): Span[] {
  const ids = new Set(spans.map(({ id }) => id));
  return spans.filter(({ parent }) => parent !== undefined && !ids.has(parent));
}
