import type { KubeClient } from '@millwright/operator/runtime';

const MUTATING = new Set(['POST', 'PUT', 'PATCH', 'DELETE', 'APPLY']);
/** Leases are renewed whatever happens; what is left in these resources is Millwright's, or the user's. */
const COUNTED = new Set(['agenttasks', 'workflows', 'agentpools', 'projects', 'events', 'secrets']);

/** Calls by what they do, for example `PATCH agenttasks/status`. */
export type Calls = ReadonlyMap<string, number>;

/** Mutating calls on Millwright's resources and Events so far, by the API server's own count. */
export async function mutatingCalls(kube: KubeClient): Promise<Calls> {
  return parseCalls(await kube.raw({ method: 'GET', path: '/metrics' }));
}

/** Reads `apiserver_request_total` from metrics in Prometheus' text format. */
export function parseCalls(metrics: string): Calls {
  const calls = new Map<string, number>();
  for (const line of metrics.split('\n')) {
    if (!line.startsWith('apiserver_request_total{')) continue;
    const label = (name: string) => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? '';
    const [verb, resource, subresource] = [label('verb'), label('resource'), label('subresource')];
    if (!MUTATING.has(verb) || !COUNTED.has(resource)) continue;
    const what = `${verb} ${resource}${subresource ? `/${subresource}` : ''}`;
    calls.set(what, (calls.get(what) ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1)));
  }
  return calls;
}

/** What came between two counts, without what did not change. */
export function callsBetween(before: Calls, after: Calls): Map<string, number> {
  const between = new Map<string, number>();
  for (const [what, count] of after) {
    const more = count - (before.get(what) ?? 0);
    if (more > 0) between.set(what, more);
  }
  return between;
}

export const sum = (calls: Calls): number => [...calls.values()].reduce((a, b) => a + b, 0);
