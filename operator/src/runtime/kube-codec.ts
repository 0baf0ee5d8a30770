import type { ListOptions, ListPage } from './kube.ts';
import { apiVersionOf, type KubeObject, type ObjectMeta, pathOf, type ResourceType } from './resource.ts';

interface WithManagedFields {
  managedFields?: unknown;
}

/**
 * Metadata as the runtime keeps it. `managedFields` is often larger than the rest of an object and nobody here reads it;
 * it is overwritten rather than deleted, since deleting turns the object into a slower dictionary.
 */
export function ingestMeta(metadata: ObjectMeta): ObjectMeta {
  if ((metadata as WithManagedFields).managedFields !== undefined) {
    (metadata as WithManagedFields).managedFields = undefined;
  }
  metadata.namespace ??= '';
  return metadata;
}

/** Completes an object in place: items of lists lack `apiVersion` and `kind` for built-in resources. */
export function ingest<T extends KubeObject>(resource: ResourceType<T>, object: T): T {
  object.apiVersion ??= apiVersionOf(resource);
  object.kind ??= resource.kind;
  ingestMeta(object.metadata);
  return object;
}

/** Parses the answer to a read or write of one object. */
export function parseObject<T extends KubeObject>(resource: ResourceType<T>, text: string): T {
  return ingest(resource, JSON.parse(text) as T);
}

/** Parses one page of a list. */
export function parseList<T extends KubeObject>(resource: ResourceType<T>, text: string): ListPage<T> {
  const list = JSON.parse(text) as { metadata: { resourceVersion: string; continue?: string }; items: T[] | null };
  const items = list.items ?? [];
  for (const item of items) ingest(resource, item);
  const next = list.metadata.continue;
  return { items, resourceVersion: list.metadata.resourceVersion, ...(next ? { continue: next } : {}) };
}

/** The path and query of a list call. */
export function listPath(resource: ResourceType, options: ListOptions): string {
  const query = new URLSearchParams();
  addSelectors(query, options);
  if (options.limit !== undefined) query.set('limit', String(options.limit));
  if (options.continue !== undefined) query.set('continue', options.continue);
  if (options.resourceVersion !== undefined) query.set('resourceVersion', options.resourceVersion);
  const text = query.toString();
  return collectionPath(resource, options.namespace) + (text === '' ? '' : `?${text}`);
}

/** The path and query of a watch. */
export function watchPath(
  resource: ResourceType,
  options: {
    namespace?: string;
    labelSelector?: string;
    fieldSelector?: string;
    resourceVersion: string;
    timeoutSeconds: number;
  },
): string {
  const query = new URLSearchParams({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: options.resourceVersion,
    timeoutSeconds: String(options.timeoutSeconds),
  });
  addSelectors(query, options);
  return `${collectionPath(resource, options.namespace)}?${query}`;
}

function collectionPath(resource: ResourceType, namespace: string | undefined): string {
  return pathOf(resource, namespace === undefined ? {} : { namespace });
}

function addSelectors(query: URLSearchParams, options: { labelSelector?: string; fieldSelector?: string }): void {
  if (options.labelSelector !== undefined) query.set('labelSelector', options.labelSelector);
  if (options.fieldSelector !== undefined) query.set('fieldSelector', options.fieldSelector);
}
