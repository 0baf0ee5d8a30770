import { createHash } from 'node:crypto';

/**
 * The git host that serves a project, among `urls` in any order: the highest hash wins (rendezvous hashing), so that one replica more
 * or less moves only the projects it must.
 */
export function gitReplica(urls: readonly string[], namespace: string, project: string): string {
  let best: { url: string; weight: string } | undefined;
  for (const url of urls) {
    const weight = createHash('sha256').update(`${url}\n${namespace}/${project}`).digest('hex');
    if (!best || weight > best.weight) best = { url, weight };
  }
  if (!best) throw new Error('no git host is configured');
  return best.url;
}
