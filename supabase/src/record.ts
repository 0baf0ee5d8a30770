import type { EventMessage } from '@millwright/crds';
import type { SupabaseClient } from '@supabase/supabase-js';
import { check } from './errors.ts';

/**
 * Records messages in one transaction: all of them or none. Again, in another order, or late: the result is the same, since older
 * snapshots never replace newer ones and events count once by their id.
 *
 * @param client with the `service_role` key
 * @throws StoreError `rejected` when at least one message cannot be stored, `unavailable` when none could be for now
 */
export async function recordBatch(client: SupabaseClient, messages: readonly EventMessage[]): Promise<void> {
  if (messages.length === 0) return;
  check(await client.rpc('record_batch', { messages: messages.map(cleaned) }), 'record_batch');
}

/**
 * Deletes the oldest events of the timeline from before a moment; the history of objects and attempts stays.
 *
 * @param client with the `service_role` key
 * @param most in one transaction
 * @returns how many were deleted; fewer than `most` when none is left
 * @throws StoreError
 */
export async function pruneEvents(client: SupabaseClient, before: Date, most: number): Promise<number> {
  const answer = await client.rpc('prune_events', { before: before.toISOString(), most });
  check(answer, 'prune_events');
  return answer.data as number;
}

/**
 * The same value with everything that jsonb cannot hold replaced by U+FFFD: output of commands may contain NUL, and a cut in the
 * middle of a character leaves half a surrogate pair.
 */
function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), cleaned(inner)]));
  }
  return value;
}

function cleanText(text: string): string {
  return text.includes('\0') || !text.isWellFormed() ? text.toWellFormed().replaceAll('\0', '\ufffd') : text;
}
