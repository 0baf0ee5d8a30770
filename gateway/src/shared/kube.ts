import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Agent, type Dispatcher, request } from 'undici';
import { parse } from 'yaml';
import { z } from 'zod';

/** What the API server answered instead of success. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status; 0 when the server could not be reached. */
  readonly status: number;
  /** Machine-readable reason of the Kubernetes Status object, for example `AlreadyExists`. */
  readonly reason: string | undefined;
  /** Fields and what is wrong with them, where the server says so. */
  readonly causes: { field?: string | undefined; message?: string | undefined }[];
  /** Whether the server may have done it all the same: the answer was lost, or came from somebody in between. */
  readonly uncertain: boolean;
  /** When the server wants to be asked again. */
  readonly retryAfterSeconds: number | undefined;
  constructor(
    status: number,
    message: string,
    more: {
      reason?: string | undefined;
      causes?: KubeError['causes'] | undefined;
      uncertain?: boolean;
      retryAfterSeconds?: number | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.status = status;
    this.reason = more.reason;
    this.causes = more.causes ?? [];
    this.uncertain = more.uncertain ?? false;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

/** A small client of the Kubernetes API over one pool of kept-alive connections. */
export interface Kube {
  get<T>(path: string): Promise<T>;
  create<T>(path: string, body: object): Promise<T>;
  /** JSON merge patch (RFC 7386). */
  mergePatch<T>(path: string, body: object): Promise<T>;
  close(): Promise<void>;
}

interface Cluster {
  server: string;
  tls: { ca?: string; cert?: string; key?: string };
  /** Read again and again: a ServiceAccount's token is replaced every hour. */
  token?: () => Promise<string>;
}

const kubeconfigSchema = z.object({
  'current-context': z.string(),
  contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) })),
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.object({
        server: z.url(),
        'certificate-authority': z.string().optional(),
        'certificate-authority-data': z.string().optional(),
      }),
    }),
  ),
  users: z.array(
    z.object({
      name: z.string(),
      user: z.object({
        'client-certificate': z.string().optional(),
        'client-certificate-data': z.string().optional(),
        'client-key': z.string().optional(),
        'client-key-data': z.string().optional(),
        token: z.string().optional(),
        tokenFile: z.string().optional(),
      }),
    }),
  ),
});

/** Cluster of the current context. Certificates and tokens only: a pod has no program to ask for credentials. */
async function fromKubeconfig(file: string): Promise<Cluster> {
  const config = kubeconfigSchema.parse(parse(await readFile(file, 'utf8')));
  const context = config.contexts.find((entry) => entry.name === config['current-context'])?.context;
  const cluster = config.clusters.find((entry) => entry.name === context?.cluster)?.cluster;
  const user = config.users.find((entry) => entry.name === context?.user)?.user;
  if (!cluster || !user) throw new Error(`${file}: the current context names no cluster or no user`);
  const folder = dirname(resolve(file));
  const pem = async (data: string | undefined, path: string | undefined) => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    return path === undefined ? undefined : readFile(resolve(folder, path), 'utf8');
  };
  const [ca, cert, key] = await Promise.all([
    pem(cluster['certificate-authority-data'], cluster['certificate-authority']),
    pem(user['client-certificate-data'], user['client-certificate']),
    pem(user['client-key-data'], user['client-key']),
  ]);
  const { token, tokenFile } = user;
  return {
    server: cluster.server.replace(/\/$/, ''),
    tls: { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) },
    ...(token !== undefined ? { token: async () => token } : {}),
    ...(tokenFile !== undefined ? { token: () => readFile(tokenFile, 'utf8') } : {}),
  };
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

async function inCluster(host: string, port: string): Promise<Cluster> {
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tls: { ca: await readFile(join(serviceAccount, 'ca.crt'), 'utf8') },
    token: () => readFile(join(serviceAccount, 'token'), 'utf8'),
  };
}

/** Finds the cluster as kubectl does: KUBECONFIG, else the pod's ServiceAccount, else ~/.kube/config. */
async function findCluster(environment: NodeJS.ProcessEnv): Promise<Cluster> {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT } = environment;
  if (KUBECONFIG) return fromKubeconfig(KUBECONFIG);
  if (KUBERNETES_SERVICE_HOST) return inCluster(KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT ?? '443');
  return fromKubeconfig(join(homedir(), '.kube', 'config'));
}

const statusSchema = z.object({
  message: z.string().optional(),
  reason: z.string().optional(),
  details: z
    .object({
      causes: z.array(z.object({ field: z.string().optional(), message: z.string().optional() })).optional(),
    })
    .optional(),
});

/** Answers that do not say whether the request was carried out; 503 and 429 come from before that. */
const withoutVerdict = new Set([500, 502, 504]);

function refusal(response: Dispatcher.ResponseData, text: string, repeatable: boolean): KubeError {
  const status = response.statusCode;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = {};
  }
  const parsed = statusSchema.safeParse(body);
  const { message, reason, details } = parsed.success ? parsed.data : {};
  const seconds = Number.parseInt(String(response.headers['retry-after']), 10);
  return new KubeError(status, message ?? `the API server answered ${status}`, {
    reason,
    causes: details?.causes,
    uncertain: !repeatable && withoutVerdict.has(status),
    retryAfterSeconds: Number.isNaN(seconds) ? undefined : seconds,
  });
}

/** Whether nothing was sent, because there was no connection. */
const neverSent = (error: unknown): boolean => {
  const { syscall, code } = error as NodeJS.ErrnoException;
  return syscall === 'connect' || syscall === 'getaddrinfo' || code === 'UND_ERR_CONNECT_TIMEOUT';
};

const TOKEN_AGE_MS = 60_000;

/** Connects nothing yet. Throws when no cluster is configured. Requests throw KubeError. */
export async function connectKube(environment: NodeJS.ProcessEnv): Promise<Kube> {
  const cluster = await findCluster(environment);
  const dispatcher = new Agent({
    connect: cluster.tls,
    connections: 16,
    headersTimeout: 15_000,
    bodyTimeout: 15_000,
  });
  let token: { value: string; until: number } | undefined;
  const authorization = async (): Promise<Record<string, string>> => {
    if (!cluster.token) return {};
    if (!token || token.until < Date.now())
      token = { value: (await cluster.token()).trim(), until: Date.now() + TOKEN_AGE_MS };
    return { authorization: `Bearer ${token.value}` };
  };
  const send = async <T>(method: Dispatcher.HttpMethod, path: string, body?: object, type = 'application/json') => {
    // Doing any of the others twice is the same as doing it once.
    const repeatable = method !== 'POST';
    let response: Dispatcher.ResponseData;
    let text: string;
    try {
      response = await request(`${cluster.server}${path}`, {
        dispatcher,
        method,
        headers: { accept: 'application/json', ...(await authorization()), ...(body ? { 'content-type': type } : {}) },
        body: body ? JSON.stringify(body) : null,
      });
      text = await response.body.text();
    } catch (error) {
      throw new KubeError(0, 'the Kubernetes API cannot be reached', {
        uncertain: !repeatable && !neverSent(error),
        cause: error,
      });
    }
    if (response.statusCode >= 300) throw refusal(response, text, repeatable);
    return JSON.parse(text) as T;
  };
  return {
    get: (path) => send('GET', path),
    create: (path, body) => send('POST', path, body),
    mergePatch: (path, body) => send('PATCH', path, body, 'application/merge-patch+json'),
    close: () => dispatcher.close(),
  };
}
