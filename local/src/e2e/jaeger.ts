import { z } from 'zod';

const answer = z.object({
  data: z.array(
    z.object({
      spans: z.array(
        z.object({
          spanID: z.string(),
          traceID: z.string(),
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
  /** Spans it is linked to, in this trace or another. */
  links: { traceId: string; spanId: string }[];
  tags: Record<string, unknown>;
  /** What is known of the process that sent it. */
  resource: Record<string, unknown>;
}

const asRecord = (tags: readonly { key: string; value: unknown }[] = []): Record<string, unknown> =>
  Object.fromEntries(tags.map(({ key, value }) => [key, value]));

const spansOf = ({ data }: z.infer<typeof answer>): Span[] =>
  data.flatMap(({ spans, processes }) =>
    spans.map(({ spanID, traceID, operationName, processID, references, tags }): Span => {
      const resource = asRecord(processes[processID]?.tags);
      const isParent = ({ refType, traceID: of }: (typeof references)[number]) =>
        refType === 'CHILD_OF' && of === traceID;
      return {
        id: spanID,
        name: operationName,
        service: processes[processID]?.serviceName ?? '',
        instance: resource['service.instance.id'],
        parent: references.find(isParent)?.spanID,
        links: references.filter((one) => !isParent(one)).map((one) => ({ traceId: one.traceID, spanId: one.spanID })),
        tags: asRecord(tags),
        resource,
      };
    }),
  );

/** The spans of a trace, each once, as Jaeger returns them; [] while it does not know the trace. */
export async function traceOf(jaegerUrl: string, traceId: string): Promise<Span[]> {
  const response = await fetch(`${jaegerUrl}/api/traces/${traceId}`, { signal: AbortSignal.timeout(10_000) });
  if (response.status === 404) return [];
  const spans = spansOf(answer.parse(await response.json()));
  // Whoever is not sure that a span has arrived sends it again, under the same id.
  return [...new Map(spans.map((span) => [span.id, span])).values()];
}

/** The spans of this name and service that have these tags, with whatever else is in their traces. */
export async function search(
  jaegerUrl: string,
  wanted: { service: string; name: string; tags: Record<string, string> },
): Promise<Span[]> {
  const { service, name: operation } = wanted;
  const query = new URLSearchParams({ service, operation, tags: JSON.stringify(wanted.tags), limit: '100' });
  const response = await fetch(`${jaegerUrl}/api/traces?${query}`, { signal: AbortSignal.timeout(10_000) });
  return spansOf(answer.parse(await response.json()));
}

export const rootsOf = (spans: readonly Span[]): Span[] => spans.filter(({ parent }) => parent === undefined);

/** Spans whose parent is not in the trace. */
export function orphansOf(spans: readonly Span[]): Span[] {
  const ids = new Set(spans.map(({ id }) => id));
  return spans.filter(({ parent }) => parent !== undefined && !ids.has(parent));
}
