import type { KubeClient } from '@millwright/operator/runtime';

const MUTATING = new Set(['POST', 'PUT', 'PATCH', 'DELETE', 'APPLY']);
/** Leases are renewed whatever happens, and Events of other controllers are not ours; the group tells them apart. */
const COUNTED = /resource="(agenttasks|workflows|agentpools|projects|events|secrets)"/;

/** Mutating calls on Millwright's resources and Events so far, by the API server's own count. */
export async function mutatingCalls(kube: KubeClient): Promise<number> {
  const metrics = await kube.raw({ method: 'GET', path: '/metrics' });
  let calls = 0;
  for (const line of metrics.split('\n')) {
    if (!line.startsWith('apiserver_request_total{') || !COUNTED.test(line)) continue;
    const verb = /verb="([A-Z]+)"/.exec(line)?.[1] ?? '';
    if (MUTATING.has(verb)) calls += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return calls;
}
