import { labels } from '@millwright/crds';

/**
 * Selects what an operator looks at. Operators of one cluster share it out by the shard label of Projects, AgentPools, Workflows and
 * AgentTasks; an operator without a shard looks at what has no such label.
 */
export const shardSelector = (shard: string | undefined): string =>
  shard === undefined ? `!${labels.shard}` : `${labels.shard}=${shard}`;

/** The shard label of an object, for what is created on its behalf. */
export function shardOf({ metadata }: { metadata: { labels?: Record<string, string> } }): Record<string, string> {
  const shard = metadata.labels?.[labels.shard];
  return shard === undefined ? {} : { [labels.shard]: shard };
}
