import { readFile } from 'node:fs/promises';
import { API_VERSION, type Policy, type Project, policy } from '@millwright/crds';
import { z } from 'zod';
import { type Kube, KubeError } from './kube.ts';

/** How to log in to a forge. */
export interface Credentials {
  username: string;
  password: string;
}

/** What is needed to talk to the repository of a Project, and what may be changed in it. */
export interface ProjectSource {
  url: string;
  defaultBranch: string;
  credentials?: Credentials;
  policy?: Policy;
}

/** The Project is not there, or what it refers to is not. The message says what to change. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError';
  /** Whether it may work later without a change. */
  readonly temporary: boolean;
  constructor(message: string, temporary: boolean, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.temporary = temporary;
  }
}

/** The Secret with a Project's credentials is missing or incomplete: as it is for a moment, too, while somebody replaces it. */
export class CredentialsError extends ProjectError {}

/** Finds a Project by namespace and name. Throws ProjectError. */
export type ProjectLookup = (namespace: string, name: string) => Promise<ProjectSource>;

interface Secret {
  data?: Record<string, string>;
}

function credentialsOf(secret: Secret, name: string, repository: string): Credentials {
  const field = (key: string) => {
    const value = secret.data?.[key];
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8').trim();
  };
  // Who may create Projects could otherwise have any login of the namespace sent to a server of their own.
  const prefix = field('url');
  if (!prefix || !URL.canParse(prefix))
    throw new CredentialsError(
      `Secret ${name} does not say what it is for: add the key url, such as https://forge.example/team`,
      false,
    );
  if (!covers(new URL(prefix), repository))
    throw new CredentialsError(
      `Secret ${name} is for ${prefix} only, and the repository is not below it; correct its key url, or spec.repository.url`,
      false,
    );
  const password = field('password') ?? field('token');
  if (!password)
    throw new CredentialsError(
      `Secret ${name} has neither password nor token: add the key username and one of both`,
      false,
    );
  // Forges that take a token as password accept any user, and GitHub's apps want this one.
  return { username: field('username') ?? 'x-access-token', password };
}

/** What credentials are for: git hosts read, the publisher pushes. */
export type Access = 'read' | 'push';

interface ForgeCredentials extends Credentials {
  /** They are used for this URL and what is below it. */
  prefix: URL;
  /** Namespaces whose Projects may use them; undefined: all. */
  namespaces?: readonly string[];
}

/** Whether a repository is at this URL or below it: same scheme and host, and the path up to a slash. */
function covers(prefix: URL, repository: string): boolean {
  if (!URL.canParse(repository)) return false;
  const { protocol, host, pathname } = new URL(repository);
  const folder = prefix.pathname.replace(/\/*$/, '');
  return (
    protocol === prefix.protocol &&
    host === prefix.host &&
    (pathname === folder || pathname === `${folder}.git` || pathname.startsWith(`${folder}/`))
  );
}

/**
 * Credentials of forges from a file of lines `https://user:password@host[:port][/path][#namespace,…]`, the format of git-credential-store with the
 * namespaces added that may use them. Throws on lines that are not URLs, naming the line but not its content.
 */
export async function readForgeCredentials(file: string): Promise<ForgeCredentials[]> {
  const found: ForgeCredentials[] = [];
  for (const [index, line] of (await readFile(file, 'utf8')).split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (!URL.canParse(line)) throw new Error(`${file}: line ${index + 1} is not a URL such as https://user:token@host`);
    const prefix = new URL(line.trim());
    const namespaces = prefix.hash.slice(1).split(',').filter(Boolean);
    found.push({
      prefix,
      ...(namespaces.length === 0 ? {} : { namespaces }),
      username: decodeURIComponent(prefix.username),
      password: decodeURIComponent(prefix.password),
    });
  }
  return found;
}

/**
 * Adds the forge's credentials where a Project names none: those of the longest path that covers its repository. The file is read anew each time: a
 * mounted Secret changes.
 */
export function withForgeCredentials(lookup: ProjectLookup, file: string | undefined): ProjectLookup {
  if (file === undefined) return lookup;
  return async (namespace, name) => {
    const source = await lookup(namespace, name);
    if (source.credentials) return source;
    const [best] = (await readForgeCredentials(file))
      .filter(({ prefix, namespaces }) => covers(prefix, source.url) && (namespaces?.includes(namespace) ?? true))
      .sort((a, b) => b.prefix.pathname.length - a.prefix.pathname.length);
    return best ? { ...source, credentials: { username: best.username, password: best.password } } : source;
  };
}

/** Where a Project names the Secret for each. */
const secretFields = { read: 'credentialsSecretRef', push: 'pushSecretRef' } as const;

/** Looks Projects up in the Kubernetes API, with the Secret that they name for this access. */
export function kubeProjects(kube: Kube, access: Access): ProjectLookup {
  const field = secretFields[access];
  return async (namespace, name) => {
    let what = `Project ${namespace}/${name}`;
    let Missing: typeof ProjectError = ProjectError;
    let remedy = '';
    try {
      const project = await kube.get<Project>(`/apis/${API_VERSION}/namespaces/${namespace}/projects/${name}`);
      const { url, defaultBranch, [field]: reference } = project.spec.repository;
      const source: ProjectSource = { url, defaultBranch };
      if (project.spec.policy) source.policy = project.spec.policy;
      if (!reference) return source;
      Missing = CredentialsError;
      remedy = '; create it, or correct the name';
      what = `Secret ${reference.name}, named by ${what} in spec.repository.${field},`;
      const path = `/api/v1/namespaces/${namespace}/secrets/${encodeURIComponent(reference.name)}`;
      return { ...source, credentials: credentialsOf(await kube.get<Secret>(path), reference.name, url) };
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.status === 404) throw new Missing(`${what} does not exist${remedy}`, false, error);
      // Also what an API server says that has just started and does not know its roles yet.
      if (error.status === 403)
        throw new ProjectError(
          `${what} may not be read by this process: list it in the chart's projectSecrets`,
          true,
          error,
        );
      throw new ProjectError(`${what} cannot be read: ${error.message}`, true, error);
    }
  };
}

const fileSchema = z.record(
  z.string(),
  z.object({
    url: z.string(),
    defaultBranch: z.string().default('main'),
    credentials: z.object({ username: z.string(), password: z.string() }).optional(),
    policy: policy.optional(),
  }),
);

/** Looks Projects up in a JSON file `{"<namespace>/<name>": {url, defaultBranch?, credentials?, policy?}}`: for running without a cluster. */
export function fileProjects(file: string): ProjectLookup {
  return async (namespace, name) => {
    const project = fileSchema.parse(JSON.parse(await readFile(file, 'utf8')))[`${namespace}/${name}`];
    if (!project) throw new ProjectError(`Project ${namespace}/${name} does not exist`, false);
    const { credentials, policy, ...source } = project;
    return { ...source, ...(credentials ? { credentials } : {}), ...(policy ? { policy } : {}) };
  };
}

/** The longest time that a Project once read is used while the Kubernetes API cannot be asked. */
const STALE_MS = 60 * 60_000;
const MAX_CACHED = 10_000;

/**
 * Asks once per `freshMs`, and once for callers at the same time. While the Kubernetes API is away, what was read last is
 * used for up to an hour, so that attempts under way can go on.
 */
export function cachedProjects(lookup: ProjectLookup, freshMs: number, now: () => number = Date.now): ProjectLookup {
  const cache = new Map<string, { at: number; source: Promise<ProjectSource> }>();
  return async (namespace, name) => {
    const key = `${namespace}/${name}`;
    const known = cache.get(key);
    if (known && now() - known.at < freshMs) return known.source;
    const entry = { at: now(), source: lookup(namespace, name) };
    cache.delete(key);
    cache.set(key, entry);
    const oldest = cache.size > MAX_CACHED ? cache.keys().next().value : undefined;
    if (oldest !== undefined) cache.delete(oldest);
    try {
      return await entry.source;
    } catch (error) {
      if (cache.get(key) === entry) cache.delete(key);
      const usable = error instanceof ProjectError && error.temporary && known && now() - known.at < STALE_MS;
      if (!usable) throw error;
      cache.set(key, known);
      return known.source;
    }
  };
}
