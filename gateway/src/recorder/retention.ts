import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@millwright/otel';
import type { Store } from '@millwright/supabase';

export interface RetentionOptions {
  readonly store: Pick<Store, 'pruneEvents'>;
  readonly retentionMs: number;
  readonly log: Logger;
  /** Between two looks; an hour unless told. */
  readonly everyMs?: number;
  /** Deleted in one transaction; 5,000 unless told. */
  readonly batch?: number;
}

/** Deletes what the timeline holds for longer than the retention, now and then. Replicas may do so at once. Returns what ends it. */
export function startRetention({ store, retentionMs, log, everyMs = 3_600_000, batch = 5_000 }: RetentionOptions): {
  close(): Promise<void>;
} {
  const stopping = new AbortController();
  const { signal } = stopping;
  const ended = run();

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await prune();
      } catch (error) {
        // The recorder says when the database is away; this goes on with the next look.
        log.debug('old events could not be deleted', { error });
      }
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async function prune(): Promise<void> {
    const before = new Date(Date.now() - retentionMs);
    let deleted = 0;
    for (let last = batch; last === batch && !signal.aborted; deleted += last)
      last = await store.pruneEvents(before, batch);
    if (deleted > 0) log.info('old events deleted', { deleted, before: before.toISOString() });
  }

  return {
    close: async () => {
      stopping.abort();
      await ended;
    },
  };
}
