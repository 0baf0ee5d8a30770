import { loadCredentials } from './credentials.ts';
import { TerminalError, WritesForbiddenError } from './errors.ts';
import { ingestMeta, listPath, parseList, parseObject, watchPath } from './kube-codec.ts';
import { mergePatchBetween } from './merge-patch.ts';
import {
  apiVersionOf,
  type Draft,
  type KubeObject,
  type ObjectMeta,
  type ObjectRef,
  pathOf,
  type ResourceType,
} from './resource.ts';
import { createTransport, type Transport, type TransportOptions, type WriteGate } from './transport.ts';
import { streamEvents, type WatchEvent } from './watch.ts';

/** Asked before every write; see `LeaderElection`. */
export interface WriteGuard {
  /** Whether this process may write right now. Called synchronously before each write is sent. */
  writesAllowed(): boolean;
  /** Aborts once writing is forbidden for good: requests in flight are then cut off. */
  readonly signal: AbortSignal;
}

export interface RequestOptions {
  /** Milliseconds for the whole call with its retries; 30,000 by default. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface ListOptions extends RequestOptions {
  /** All namespaces when absent. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Page size; everything in one answer when absent. */
  limit?: number;
  continue?: string;
  /** '' (default) is the newest state; '0' whatever the server has in memory. */
  resourceVersion?: string;
}

/** One page of a list, as of `resourceVersion`. */
export interface ListPage<T> {
  items: T[];
  resourceVersion: string;
  /** Asks for the next page; absent on the last. */
  continue?: string;
}

export interface PatchOptions extends RequestOptions {
  /** `merge` (RFC 7386) by default. `apply` is server-side apply and forces conflicts. */
  type?: 'merge' | 'json' | 'strategic' | 'apply';
  subresource?: 'status' | 'scale';
}

export interface DeleteOptions extends RequestOptions {
  /** Refuses (409) unless the stored object has this uid. */
  uid?: string;
  /** Refuses (409) unless the stored object has this version. */
  resourceVersion?: string;
  /** `Background` by default. */
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  gracePeriodSeconds?: number;
}

export interface WatchOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  resourceVersion: string;
  /** How long the server keeps the watch open, in seconds. */
  timeoutSeconds: number;
  signal?: AbortSignal;
}

/**
 * Typed calls on the Kubernetes API over one pool of kept-alive connections. All reject with `KubeError` when the server
 * refuses or does not answer, and writes of a guarded client with `WritesForbiddenError`.
 *
 * Reads and deletes are tried again on 5xx with Retry-After and on lost connections; other writes only when they certainly
 * were not carried out (no connection, 429 with Retry-After). 401 renews the credentials and is tried once more.
 */
export interface KubeClient {
  /** The namespace the credentials point at by default (the pod's own, in a cluster). */
  readonly defaultNamespace: string | undefined;
  get<T extends KubeObject>(resource: ResourceType<T>, ref: ObjectRef, options?: RequestOptions): Promise<T>;
  /** One page; items carry `apiVersion` and `kind` even where the server leaves them out. */
  list<T extends KubeObject>(resource: ResourceType<T>, options?: ListOptions): Promise<ListPage<T>>;
  create<T extends KubeObject>(resource: ResourceType<T>, object: Draft<T>, options?: RequestOptions): Promise<T>;
  /** Replaces the object (not its status); 409 unless `resourceVersion` is current. */
  update<T extends KubeObject>(resource: ResourceType<T>, object: T, options?: RequestOptions): Promise<T>;
  /**
   * Makes the status equal `desired`: sends the difference from `current.status` as a merge patch that carries
   * `current.metadata.resourceVersion` (409 when that is not current). Sends nothing and returns `current` itself when
   * they are equal. The server answers with metadata only, so the cost does not grow with the spec; the object returned
   * is `current` with the new status and metadata.
   */
  patchStatus<T extends KubeObject & { status?: unknown }>(
    resource: ResourceType<T>,
    current: T,
    desired: NonNullable<T['status']>,
    options?: RequestOptions,
  ): Promise<T>;
  patch<T extends KubeObject>(
    resource: ResourceType<T>,
    ref: ObjectRef,
    patch: object,
    options?: PatchOptions,
  ): Promise<T>;
  /** Resolves when the server has accepted the deletion; an object that is not there is a 404. */
  delete<T extends KubeObject>(resource: ResourceType<T>, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /**
   * Streams changes after `resourceVersion`, bookmarks included, to `onEvent`, which must not throw. Resolves when the
   * server ends the stream; an in-stream ERROR, a cut or an unreadable line rejects. `onBytes` sees every sign of life.
   */
  watch<T extends KubeObject>(
    resource: ResourceType<T>,
    options: WatchOptions,
    onEvent: (event: WatchEvent<T>) => void,
    onBytes?: () => void,
  ): Promise<void>;
  /** Any other call: `path` with its query; a body is sent as JSON. Resolves to the answer's text. */
  raw(request: { method: string; path: string; body?: unknown } & RequestOptions): Promise<string>;
  /** The same client and connections, but every write asks `guard` first and is cut off when its signal aborts. */
  guardedBy(guard: WriteGuard): KubeClient;
  /** Connections opened so far and requests by outcome: for tests and metrics. */
  readonly stats: Transport['stats'];
  /** Waits for requests in flight, then closes all connections. */
  close(): Promise<void>;
}

/** Builds the client of a process; one per process is enough for any load. Reads the credentials once before it returns. */
export async function createKubeClient(options: TransportOptions): Promise<KubeClient> {
  const transport = await createTransport(options);
  return clientOver(transport, options.credentials.namespace, undefined);
}

/** `createKubeClient` on `loadCredentials`. */
export async function connectKube(
  options: Parameters<typeof loadCredentials>[0] & Omit<TransportOptions, 'credentials'>,
): Promise<KubeClient> {
  return createKubeClient({ ...options, credentials: await loadCredentials(options) });
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;
const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';

function clientOver(
  transport: Transport,
  defaultNamespace: string | undefined,
  guard: WriteGuard | undefined,
): KubeClient {
  const gate = guard && gateOf(guard);

  async function write(
    method: string,
    path: string,
    body: unknown,
    options: RequestOptions,
    headers?: { contentType?: string; accept?: string },
  ): Promise<string> {
    if (gate !== undefined && !gate.allowed()) throw new WritesForbiddenError(`${method} ${path}`);
    return transport.send({
      method,
      path,
      body: body === undefined ? undefined : JSON.stringify(body),
      timeoutMs: options.timeoutMs,
      signal: options.signal,
      gate,
      ...headers,
    });
  }

  const read = (path: string, options: RequestOptions) =>
    transport.send({ method: 'GET', path, timeoutMs: options.timeoutMs, signal: options.signal });

  return {
    defaultNamespace,
    stats: transport.stats,
    get: async (resource, ref, options = {}) => parseObject(resource, await read(pathOf(resource, ref), options)),
    list: async (resource, options = {}) => parseList(resource, await read(listPath(resource, options), options)),
    create: async (resource, object, options = {}) => {
      const namespace = object.metadata.namespace;
      if (resource.namespaced && !namespace) throw new TerminalError(`a ${resource.kind} needs metadata.namespace`);
      const body = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
      return parseObject(
        resource,
        await write('POST', pathOf(resource, { ...(namespace ? { namespace } : {}) }), body, options),
      );
    },
    update: async (resource, object, options = {}) =>
      parseObject(resource, await write('PUT', pathOf(resource, object.metadata), object, options)),
    patchStatus: async (resource, current, desired, options = {}) => {
      const status = mergePatchBetween(current.status ?? {}, desired);
      if (status === undefined) return current;
      const body = { metadata: { resourceVersion: current.metadata.resourceVersion }, status };
      const answer = await write('PATCH', pathOf(resource, current.metadata, 'status'), body, options, {
        contentType: patchTypes.merge,
        accept: metadataOnly,
      });
      const { metadata } = JSON.parse(answer) as { metadata: ObjectMeta };
      return { ...current, metadata: ingestMeta(metadata), status: desired };
    },
    patch: async (resource, ref, patch, options = {}) => {
      const type = options.type ?? 'merge';
      const query = type === 'apply' ? '?fieldManager=millwright&force=true' : '';
      const path = pathOf(resource, ref, options.subresource) + query;
      return parseObject(resource, await write('PATCH', path, patch, options, { contentType: patchTypes[type] }));
    },
    delete: async (resource, ref, options = {}) => {
      const preconditions = {
        ...(options.uid === undefined ? {} : { uid: options.uid }),
        ...(options.resourceVersion === undefined ? {} : { resourceVersion: options.resourceVersion }),
      };
      const body = {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        propagationPolicy: options.propagationPolicy ?? 'Background',
        ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
        ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
      };
      await write('DELETE', pathOf(resource, ref), body, options, { accept: metadataOnly });
    },
    watch: (resource, options, onEvent, onBytes) =>
      streamEvents(transport, resource, watchPath(resource, options), options.signal, onEvent, onBytes),
    raw: ({ method, path, body, ...options }) =>
      method === 'GET' ? read(path, options) : write(method, path, body, options),
    guardedBy: (next) => clientOver(transport, defaultNamespace, next),
    close: () => transport.close(),
  };
}

/** One listener on the guard's signal serves every write, however many are under way. */
function gateOf(guard: WriteGuard): WriteGate {
  const cancels = new Set<(error: Error) => void>();
  guard.signal.addEventListener('abort', () => {
    for (const cancel of [...cancels]) cancel(new WritesForbiddenError('a write under way'));
  });
  return { allowed: () => guard.writesAllowed(), cancels };
}
