export type { KeyIdentity } from './api-keys.ts';
export type { AuditEntry } from './audit.ts';
export type { StoreOptions } from './client.ts';
export { StoreError } from './errors.ts';
export { type HistoryTable, InvalidCursorError, type ListOptions, type Page } from './read.ts';
export type { NamespaceRole } from './roles.ts';
export type * from './rows.ts';
export { createStore, type Store } from './store.ts';
