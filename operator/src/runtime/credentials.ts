import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** Everything needed to talk to one API server. */
export interface Connection {
  /** Base URL, without a trailing slash. */
  server: string;
  tls: {
    ca?: string;
    cert?: string;
    key?: string;
    servername?: string;
    rejectUnauthorized?: boolean;
  };
  /** Headers that authenticate; empty when a client certificate does. */
  headers: Record<string, string>;
}

/** Where connections come from; `read` is called again when credentials may have rotated. */
export interface Credentials {
  /** Says what was loaded, for messages. */
  readonly source: string;
  /** The namespace the credentials point at by default, if any. */
  readonly namespace: string | undefined;
  /** Reads files and asks plug-ins anew. Throws when a file is missing or a plug-in fails. */
  read(): Promise<Connection>;
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/** A kubeconfig or service account that cannot be used, with what to do about it. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
}

/**
 * Finds credentials: the given kubeconfig file, else the pod's service account.
 *
 * Both are read here rather than by `@kubernetes/client-node`, whose import costs 85 MB of memory and most of a second;
 * it is loaded only for users whose credentials come from a plug-in (`exec`, `auth-provider`).
 * @param options.kubeconfig path of a kubeconfig file
 * @param options.context a context of that file; its current one by default
 * @param options.environment read for `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`
 * @throws CredentialsError when there are none, or the file is not a usable kubeconfig
 */
export async function loadCredentials(options: {
  kubeconfig?: string | undefined;
  context?: string | undefined;
  environment?: Record<string, string | undefined>;
}): Promise<Credentials> {
  if (options.kubeconfig !== undefined) return fromKubeconfig(options.kubeconfig, options.context);
  const environment = options.environment ?? {};
  const host = environment.KUBERNETES_SERVICE_HOST;
  const port = environment.KUBERNETES_SERVICE_PORT;
  if (!host || !port || !existsSync(`${serviceAccount}/token`)) {
    throw new CredentialsError('no kubeconfig was given and this process does not run in a pod: set KUBECONFIG');
  }
  return fromServiceAccount(host.includes(':') ? `[${host}]` : host, port);
}

async function fromServiceAccount(host: string, port: string): Promise<Credentials> {
  return {
    source: 'service account of the pod',
    namespace: (await readFile(`${serviceAccount}/namespace`, 'utf8')).trim(),
    read: async () => {
      const [token, ca] = await Promise.all([
        readFile(`${serviceAccount}/token`, 'utf8'),
        readFile(`${serviceAccount}/ca.crt`, 'utf8'),
      ]);
      return {
        server: `https://${host}:${port}`,
        tls: { ca },
        headers: { authorization: `Bearer ${token.trim()}` },
      };
    },
  };
}

const clusterSchema = z.object({
  server: z.string(),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': z.string().optional(),
  'proxy-url': z.string().optional(),
});
const userSchema = z.object({
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  as: z.string().optional(),
  exec: z.unknown().optional(),
  'auth-provider': z.unknown().optional(),
});
const contextSchema = z.object({ cluster: z.string(), user: z.string(), namespace: z.string().optional() });
const kubeconfigSchema = z.object({
  'current-context': z.string().optional(),
  clusters: z.array(z.object({ name: z.string(), cluster: clusterSchema })),
  users: z.array(z.object({ name: z.string(), user: userSchema.nullish() })),
  contexts: z.array(z.object({ name: z.string(), context: contextSchema })),
});
type Cluster = z.infer<typeof clusterSchema>;
type User = z.infer<typeof userSchema>;

async function fromKubeconfig(file: string, wantedContext: string | undefined): Promise<Credentials> {
  const select = async () => {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new CredentialsError(`cannot read the kubeconfig ${file}`, { cause });
    });
    const parsed = kubeconfigSchema.safeParse(parse(text));
    if (!parsed.success) throw new CredentialsError(`${file} is no kubeconfig: ${z.prettifyError(parsed.error)}`);
    const { clusters, users, contexts } = parsed.data;
    const contextName = wantedContext ?? parsed.data['current-context'];
    const context = find(contexts, contextName, 'context', file).context;
    return {
      text,
      contextName,
      context,
      cluster: find(clusters, context.cluster, 'cluster', file).cluster,
      user: find(users, context.user, 'user', file).user ?? {},
    };
  };
  const first = await select();
  const readPlugin = first.user.exec || first.user['auth-provider'] ? await pluginReader(first) : undefined;
  return {
    source: `context ${first.contextName} of ${file}`,
    namespace: first.context.namespace,
    read: async () => {
      const { cluster, user } = await select();
      const connection = await connectionOf(cluster, user, path.dirname(file));
      const extra = await readPlugin?.();
      if (extra === undefined) return connection;
      return {
        ...connection,
        tls: { ...connection.tls, ...extra.tls },
        headers: { ...connection.headers, ...extra.headers },
      };
    },
  };
}

function find<T extends { name: string }>(entries: T[], name: string | undefined, what: string, file: string): T {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new CredentialsError(`${file} has no ${what} named ${name ?? '(none is current)'}`);
  return entry;
}

async function connectionOf(cluster: Cluster, user: User, folder: string): Promise<Connection> {
  if (cluster['proxy-url'] !== undefined) {
    throw new CredentialsError('proxy-url is not supported: reach the API server directly or through a local forward');
  }
  const load = async (data: string | undefined, file: string | undefined) => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    return file === undefined ? undefined : readFile(path.resolve(folder, file), 'utf8');
  };
  const [ca, cert, key, token] = await Promise.all([
    load(cluster['certificate-authority-data'], cluster['certificate-authority']),
    load(user['client-certificate-data'], user['client-certificate']),
    load(user['client-key-data'], user['client-key']),
    user.token ?? load(undefined, user.tokenFile),
  ]);
  const basic = user.username === undefined ? undefined : `${user.username}:${user.password ?? ''}`;
  const authorization = token ? `Bearer ${token.trim()}` : basic && `Basic ${Buffer.from(basic).toString('base64')}`;
  return {
    server: cluster.server.replace(/\/+$/, ''),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(cluster['tls-server-name'] === undefined ? {} : { servername: cluster['tls-server-name'] }),
      ...(cluster['insecure-skip-tls-verify'] ? { rejectUnauthorized: false } : {}),
    },
    headers: {
      ...(authorization ? { authorization } : {}),
      ...(user.as === undefined ? {} : { 'impersonate-user': user.as }),
    },
  };
}

/** Lets client-node run credential plug-ins; it caches what they return until it expires. */
async function pluginReader(selected: { text: string; contextName: string | undefined }) {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromString(selected.text);
  if (selected.contextName !== undefined) config.setCurrentContext(selected.contextName);
  return async (): Promise<Pick<Connection, 'tls' | 'headers'>> => {
    const options: { cert?: unknown; key?: unknown; headers?: Record<string, unknown> } = {};
    await config.applyToHTTPSOptions(options as Parameters<typeof config.applyToHTTPSOptions>[0]);
    const authorization = options.headers?.Authorization;
    return {
      tls: {
        ...(options.cert ? { cert: String(options.cert) } : {}),
        ...(options.key ? { key: String(options.key) } : {}),
      },
      headers: typeof authorization === 'string' ? { authorization } : {},
    };
  };
}
