import { labels } from '@millwright/crds';

/**
 * Selects what an operator looks at. Operators of one cluster share it out by the shard label of Projects, AgentPools, Workflows and
 * AgentTasks; an operator without a shard looks at what has no such label.
 */
export const shardSelector = (shard: string | undefined): string =>
  shard === undefined ? `!${labels.shard}` : `${labels.shard}=${shard}`;

/** Whether `shardSelector` selects an object. */
export const isInShard = ({ metadata }: Labelled, shard: string | undefined): boolean =>
  metadata.labels?.[labels.shard] === shard;

interface Labelled {
  metadata: { labels?: Record<string, string> };
}

/** The shard label of an object, for what is created on its behalf. */
export function shardOf({ metadata }: Labelled): Record<string, string> {
  const shard = metadata.labels?.[labels.shard];
  return shard === undefined ? {} : { [labels.shard]: shard };
}
