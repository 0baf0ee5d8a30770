import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Credentials } from '../credentials.ts';
import type { KubeObject } from '../resource.ts';
import { closeWatchers, openWatch, type Watcher, type WatchFaults } from './fake-watch.ts';

/** One entry of the server's history: what etcd would keep. */
export interface HistoryEntry {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: KubeObject;
}

/** What to do to a request instead of, or before, answering it. Return true when the request has been dealt with. */
export type RequestFault = (request: IncomingMessage, response: ServerResponse, url: URL) => boolean;

/**
 * An HTTP server that speaks as much of the Kubernetes API as the runtime uses, for any resource, and misbehaves on
 * demand. Versions are integers of one sequence, lists are paged over snapshots, watches replay history and then follow.
 */
export interface FakeApiServer {
  readonly url: string;
  readonly credentials: Credentials;
  /** TCP connections accepted so far. */
  connections: number;
  readonly requests: { method: string; path: string; contentType: string | undefined; body: string }[];
  readonly history: HistoryEntry[];
  /** Versions up to this one are compacted: watching from them is answered with 410. */
  compacted: number;
  fault: RequestFault | undefined;
  watchFaults: WatchFaults;
  readonly watchers: Set<Watcher>;
  /** Current objects by `namespace/name`. */
  readonly objects: Map<string, KubeObject>;
  put(namespace: string, name: string, fields: Record<string, unknown>): KubeObject;
  remove(namespace: string, name: string): void;
  /** Cuts every connection, as a restart does. */
  cut(): void;
  close(): Promise<void>;
}

interface Reply {
  status: number;
  body: unknown;
}

/** Starts the server on a free port of the loopback interface. */
export async function startFakeApiServer(
  apiVersion = 'test.millwright.dev/v1',
  kind = 'Widget',
): Promise<FakeApiServer> {
  const sockets = new Set<Socket>();
  const snapshots = new Map<string, { items: KubeObject[]; version: number }>();
  let version = 100;

  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const reply = handle(request, response, Buffer.concat(parts).toString('utf8'));
      if (reply !== undefined) json(response, reply.status, reply.body);
    });
  });
  server.on('connection', (socket) => {
    fake.connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function record(type: HistoryEntry['type'], object: KubeObject): KubeObject {
    version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const key = `${stored.metadata.namespace}/${stored.metadata.name}`;
    if (type === 'DELETED') fake.objects.delete(key);
    else fake.objects.set(key, stored);
    const entry = { version, type, object: stored };
    fake.history.push(entry);
    for (const watcher of fake.watchers) watcher.push(entry);
    return stored;
  }

  const fake: FakeApiServer = {
    url,
    credentials: {
      source: 'test',
      namespace: 'default',
      read: async () => ({ server: url, tls: {}, headers: { authorization: 'Bearer test' } }),
    },
    connections: 0,
    requests: [],
    history: [],
    compacted: 0,
    fault: undefined,
    watchFaults: {},
    watchers: new Set(),
    objects: new Map(),
    put: (namespace, name, fields) => {
      const old = fake.objects.get(`${namespace}/${name}`);
      const metadata = {
        name,
        namespace,
        uid: old?.metadata.uid ?? `uid-${name}-${version}`,
        resourceVersion: '',
        creationTimestamp: '2026-01-01T00:00:00Z',
        managedFields: [{ manager: 'test' }],
      };
      return record(old === undefined ? 'ADDED' : 'MODIFIED', { apiVersion, kind, ...old, ...fields, metadata });
    },
    remove: (namespace, name) => {
      const old = fake.objects.get(`${namespace}/${name}`);
      if (old !== undefined) record('DELETED', old);
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      closeWatchers(fake.watchers);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function handle(request: IncomingMessage, response: ServerResponse, body: string): Reply | undefined {
    const target = new URL(request.url ?? '/', url);
    const method = request.method ?? 'GET';
    fake.requests.push({ method, path: request.url ?? '', contentType: request.headers['content-type'], body });
    if (fake.fault?.(request, response, target)) return undefined;
    const segments = target.pathname.split('/').slice(4).map(decodeURIComponent);
    const inNamespace = segments[0] === 'namespaces';
    const namespace = inNamespace ? segments[1] : undefined;
    const name = inNamespace ? segments[3] : segments[1];
    const key = `${namespace}/${name}`;
    const stored = fake.objects.get(key);

    if (method === 'GET' && name === undefined) {
      if (target.searchParams.get('watch') === 'true') {
        const since = Number(target.searchParams.get('resourceVersion'));
        if (since < fake.compacted) return refusal(410, 'Expired', `too old resource version: ${since}`);
        openWatch(fake, response, since);
        return undefined;
      }
      return list(target);
    }
    if (method === 'POST') {
      const draft = JSON.parse(body) as KubeObject;
      const draftKey = `${namespace}/${draft.metadata.name}`;
      if (fake.objects.has(draftKey)) return refusal(409, 'AlreadyExists', `${draftKey} exists`);
      return { status: 201, body: fake.put(namespace ?? '', draft.metadata.name, { ...draft }) };
    }
    if (stored === undefined) return refusal(404, 'NotFound', `${key} not found`);
    if (method === 'GET') return { status: 200, body: stored };
    if (method === 'DELETE') {
      fake.remove(namespace ?? '', name ?? '');
      return { status: 200, body: { kind: 'Status', status: 'Success' } };
    }
    const change = JSON.parse(body) as { metadata?: { resourceVersion?: string }; status?: Record<string, unknown> };
    const wanted = change.metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== stored.metadata.resourceVersion) {
      return refusal(409, 'Conflict', 'the object has been modified');
    }
    const before = (stored as { status?: Record<string, unknown> }).status;
    const fields = method === 'PUT' ? change : { ...change, status: { ...before, ...change.status } };
    return { status: 200, body: fake.put(namespace ?? '', name ?? '', fields as Record<string, unknown>) };
  }

  function list(target: URL): Reply {
    const limit = Number(target.searchParams.get('limit') ?? 0);
    const token = target.searchParams.get('continue');
    const [id, offsetText] = (token ?? '').split('.');
    const snapshot = token === null ? { items: [...fake.objects.values()], version } : snapshots.get(id ?? '');
    if (snapshot === undefined || snapshot.version < fake.compacted) {
      return refusal(410, 'Expired', 'the continue token has expired');
    }
    const offset = Number(offsetText ?? 0);
    const end = limit > 0 ? offset + limit : snapshot.items.length;
    const snapshotId = id || String(snapshots.size + 1);
    if (end < snapshot.items.length) snapshots.set(snapshotId, snapshot);
    // As the API server does for built-in resources, items come without apiVersion and kind.
    const items = snapshot.items.slice(offset, end).map(({ apiVersion: _a, kind: _k, ...item }) => item);
    const next = end < snapshot.items.length ? { continue: `${snapshotId}.${end}` } : {};
    const metadata = { resourceVersion: String(snapshot.version), ...next };
    return { status: 200, body: { kind: `${kind}List`, metadata, items } };
  }

  return fake;
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** A `Status` that refuses. */
export function refusal(code: number, reason: string, message: string): Reply {
  return { status: code, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message } };
}
