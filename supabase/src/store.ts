import type { EventMessage } from '@millwright/crds';
import { createApiKey, identifyApiKey, revokeApiKey } from './api-keys.ts';
import { type AuditEntry, appendAudit } from './audit.ts';
import { type StoreOptions, supabaseClient } from './client.ts';
import { check } from './errors.ts';
import {
  artifacts,
  attempts,
  type HistoryTable,
  type ListOptions,
  list,
  logs,
  readerAs,
  type ShownTable,
  show,
} from './read.ts';
import { pruneEvents, recordBatch } from './record.ts';
import { roleInNamespace } from './roles.ts';

export type Store = ReturnType<typeof createStore>;

/** The history in a Supabase project, which is reached by its URL and a key alone. */
export function createStore(options: StoreOptions) {
  const client = supabaseClient(options);
  return {
    /** See `recordBatch`. */
    record: (messages: readonly EventMessage[]) => recordBatch(client, messages),
    /** See `pruneEvents`. */
    pruneEvents: (before: Date, most: number) => pruneEvents(client, before, most),
    /** Resolves when the database answers and the migrations are there; throws StoreError otherwise. */
    ping: async () => check(await client.rpc('record_batch', { messages: [] }), 'the database'),
    list: <T extends HistoryTable>(table: T, page?: ListOptions<T>) => list(client, table, page),
    show: <T extends ShownTable>(table: T, uid: string) => show(client, table, uid),
    attempts: (taskUid: string) => attempts(client, taskUid),
    artifacts: (taskUid: string) => artifacts(client, taskUid),
    /** See `readerAs`. */
    asKey: (id: string) => readerAs(client, id),
    logs: (taskUid: string, attempt: number, page?: Parameters<typeof logs>[3]) => logs(client, taskUid, attempt, page),
    createApiKey: (key: Parameters<typeof createApiKey>[1]) => createApiKey(client, key),
    identifyApiKey: (key: string, now?: Date) => identifyApiKey(client, key, now),
    revokeApiKey: (id: string) => revokeApiKey(client, id),
    roleInNamespace: (userId: string, namespace: string) => roleInNamespace(client, userId, namespace),
    audit: (entry: AuditEntry) => appendAudit(client, entry),
  };
}
