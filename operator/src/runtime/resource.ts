/** Who made an object, as garbage collection understands it. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Metadata of an object the API server has stored. `namespace` is '' for cluster-scoped objects. */
export interface ObjectMeta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  generation?: number;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

/** Any object as the API server returns it. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** What may be said about an object that is about to be created. */
export interface DraftMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

/** An object before the API server has stored it; `apiVersion` and `kind` are filled in from its resource. */
export type Draft<T extends KubeObject> = Omit<T, 'apiVersion' | 'kind' | 'metadata' | 'status'> & {
  apiVersion?: string;
  kind?: string;
  metadata: DraftMeta;
};

declare const objectType: unique symbol;

/** Describes one resource of the API; `T` is the type of its objects. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Carries `T` for inference only; never set. */
  readonly [objectType]?: T;
}

/** A namespaced name; `namespace` is absent or '' for cluster-scoped objects. */
export interface ObjectRef {
  namespace?: string;
  name: string;
}

/** Names a resource and binds the type of its objects, so that `kube.get(workflows, …)` is typed. */
export function defineResource<T extends KubeObject>(description: {
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}): ResourceType<T> {
  const { group, version, plural, kind, namespaced } = description;
  return { group, version, plural, kind, namespaced };
}

/** `group/version`, or `version` alone for the core group. */
export function apiVersionOf(resource: ResourceType): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** The key of an object in stores and work queues: `namespace/name`, or `name` for cluster-scoped objects. */
export function keyOf(object: { metadata: { name: string; namespace?: string } }): string {
  return keyFor(object.metadata.namespace, object.metadata.name);
}

/** The key of a namespaced name. */
export function keyFor(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** The inverse of `keyFor`. */
export function parseKey(key: string): { namespace: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/**
 * Orders two resourceVersions: negative when `a` is older. They are decimal integers that may exceed 2^53, so they are
 * compared as strings without leading zeros, and never as numbers
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

/** The path of a collection, or of one object in it, with an optional subresource. */
export function pathOf(
  resource: ResourceType,
  ref: { namespace?: string; name?: string },
  subresource?: string,
): string {
  let path = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (resource.namespaced && ref.namespace) path += `/namespaces/${encodeURIComponent(ref.namespace)}`;
  path += `/${resource.plural}`;
  if (ref.name !== undefined) path += `/${encodeURIComponent(ref.name)}`;
  if (subresource !== undefined) path += `/${subresource}`;
  return path;
}
