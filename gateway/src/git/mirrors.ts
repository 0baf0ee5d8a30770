import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '@millwright/otel';
import { forgeFailure } from '../shared/forge-failure.ts';
import { GitError, git } from '../shared/git-command.ts';
import type { ProjectKey } from '../shared/project-key.ts';
import { ProjectError, type ProjectLookup, type ProjectSource } from '../shared/projects.ts';
import { redacted } from '../shared/redacted.ts';
import { keyedLock } from '../shared/semaphore.ts';
import { type Bundles, baseRef } from './bundles.ts';
import { branchProblem, repositoryProblem } from './repository-problem.ts';
import { resolveRevision } from './revision.ts';

/** The mirror cannot serve the request. The message is for the agent and for people. */
export class MirrorError extends Error {
  override readonly name = 'MirrorError';
  /** HTTP status: 404 no such Project, 422 cannot work without a change, 503 may work later. */
  readonly status: 404 | 422 | 503;
  constructor(status: 404 | 422 | 503, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.status = status;
  }
}

export interface MirrorOptions {
  /** Folder of the bare repositories: `<folder>/<namespace>/<project>.git`. */
  folder: string;
  bundles: Bundles;
  lookup: ProjectLookup;
  /** A mirror fetched at most so long ago is fresh. */
  fetchWindowMs: number;
  fetchTimeoutMs: number;
  log: Logger;
  onFetch?: (outcome: 'ok' | 'failed', seconds: number) => void;
}

export interface Mirrors {
  /** What the Project says now. Throws MirrorError. */
  project(key: ProjectKey): Promise<ProjectSource>;
  /** Path of the mirror; made from the forge and the kept bundles when there is none. Throws MirrorError. */
  open(key: ProjectKey): Promise<string>;
  /**
   * The one commit that everything of a Workflow starts from, in the ref `refs/workflows/<uid>/base`. The first call chooses it:
   * `revision` (branch, tag or commit), or the head of the default branch, as it is on the forge now. Throws MirrorError.
   */
  pin(key: ProjectKey, workflow: string, revision: string | undefined): Promise<string>;
  /** Runs maintenance while no fetch of the mirror is under way, and removes the mirror when that says so; skipped when there is no mirror. */
  maintain(key: ProjectKey, work: (path: string) => Promise<'keep' | 'remove'>): Promise<void>;
}

const MAX_KNOWN_PINS = 10_000;
const mirrored = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;

/** Locks that a killed git left behind; nobody else works on this volume, so none is held. */
async function removeStaleLocks(mirror: string): Promise<void> {
  const refs = await readdir(join(mirror, 'refs'), { recursive: true });
  const top = await readdir(mirror);
  const locks = [...top, ...refs.map((name) => join('refs', name))].filter((name) => name.endsWith('.lock'));
  for (const lock of locks) await rm(join(mirror, lock), { force: true });
}

export function createMirrors(options: MirrorOptions): Mirrors {
  const { folder, bundles, lookup, log } = options;
  const lock = keyedLock();
  const fetchedAt = new Map<string, number>();
  const opened = new Set<string>();
  const knownPins = new Map<string, string>();
  const pathOf = ({ namespace, project }: ProjectKey) => join(folder, namespace, `${project}.git`);

  const source = async (key: ProjectKey): Promise<ProjectSource> => {
    try {
      return await lookup(key.namespace, key.project);
    } catch (error) {
      if (!(error instanceof ProjectError)) throw error;
      throw new MirrorError(error.temporary ? 503 : 404, error.message, error);
    }
  };

  const fromForge = async ({ project }: ProjectKey, path: string, from: ProjectSource, refspecs: readonly string[]) => {
    const started = performance.now();
    const took = () => (performance.now() - started) / 1000;
    try {
      // --prune removes only what the refspecs cover: never an attempt or a pin.
      await git(['fetch', '--quiet', '--no-write-fetch-head', '--prune', '--', from.url, ...refspecs], {
        cwd: path,
        login: from.credentials ? { url: from.url, credentials: from.credentials } : undefined,
        timeoutMs: options.fetchTimeoutMs,
      });
      options.onFetch?.('ok', took());
    } catch (error) {
      options.onFetch?.('failed', took());
      if (!(error instanceof GitError)) throw error;
      const failure = forgeFailure(error);
      throw new MirrorError(failure.retryable ? 503 : 422, await repositoryProblem(project, from, failure), error);
    }
  };

  const fetchAll = async (key: ProjectKey, path: string, from: ProjectSource) => {
    const at = Date.now();
    await fromForge(key, path, from, mirrored);
    await git(['symbolic-ref', 'HEAD', `refs/heads/${from.defaultBranch}`], { cwd: path });
    fetchedAt.set(pathOf(key), at);
  };

  const build = async (key: ProjectKey, path: string) => {
    const from = await source(key);
    await mkdir(dirname(path), { recursive: true });
    const building = join(dirname(path), `.${crypto.randomUUID()}`);
    try {
      await git(['init', '--bare', '--quiet', '--template=', building]);
      await fetchAll(key, building, from);
      const lost = await bundles.restore(key, building);
      if (lost.length > 0) log.error('not everything could be restored', { ...key, lost });
      await rename(building, path);
      log.info('mirror made', { ...key, url: await redacted(from.url) });
    } finally {
      await rm(building, { recursive: true, force: true });
    }
  };

  /** Under the mirror's lock. */
  const ensure = async (key: ProjectKey): Promise<string> => {
    const path = pathOf(key);
    if (opened.has(path) && (await exists(path))) return path;
    if (await exists(path)) await removeStaleLocks(path);
    else await build(key, path);
    opened.add(path);
    return path;
  };

  /** Under the mirror's lock. */
  const choose = async (key: ProjectKey, path: string, revision: string | undefined): Promise<string> => {
    const from = await source(key);
    const wanted = revision ?? from.defaultBranch;
    const fresh = Date.now() - (fetchedAt.get(path) ?? 0) <= options.fetchWindowMs;
    if (!fresh) await fetchAll(key, path, from);
    let commit = await resolveRevision(path, wanted);
    if (!commit && fresh) {
      await fetchAll(key, path, from);
      commit = await resolveRevision(path, wanted);
    }
    if (!commit && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(wanted)) {
      // Not on any branch or tag: many forges hand out a commit by its hash.
      await fromForge(key, path, from, [wanted]).catch(() => undefined);
      commit = await resolveRevision(path, wanted);
    }
    if (commit) return commit;
    if (revision === undefined) throw new MirrorError(422, await branchProblem(key.project, from));
    throw new MirrorError(
      422,
      `spec.revision: ${await redacted(from.url)} has no branch, tag or commit ${JSON.stringify(wanted)}; correct it`,
    );
  };

  const setBase = async (key: ProjectKey, path: string, workflow: string, commit: string) => {
    const ref = baseRef(workflow);
    const there = await git(['for-each-ref', '--format=%(objectname)', ref], { cwd: path });
    if (there.trim() === commit) return;
    try {
      await git(['update-ref', ref, commit], { cwd: path });
    } catch (error) {
      // Pinned once, then lost with the volume, and rewritten on the forge since.
      await fromForge(key, path, await source(key), [commit]);
      await git(['update-ref', ref, commit], { cwd: path });
      log.warn('base fetched anew', { ...key, workflow, commit, error });
    }
  };

  return {
    project: source,
    open: async (key) => {
      const path = pathOf(key);
      if (opened.has(path) && (await exists(path))) return path;
      return lock(path, () => ensure(key));
    },
    pin: async (key, workflow, revision) => {
      const path = pathOf(key);
      const id = `${path} ${workflow}`;
      const known = knownPins.get(id);
      if (known && (await exists(path))) return known;
      return lock(path, async () => {
        await ensure(key);
        const pinned = await bundles.pinned(key, workflow);
        const commit = pinned ?? (await bundles.pin(key, workflow, await choose(key, path, revision)));
        await setBase(key, path, workflow, commit);
        if (knownPins.size >= MAX_KNOWN_PINS) knownPins.clear();
        knownPins.set(id, commit);
        return commit;
      });
    },
    maintain: async (key, work) => {
      const path = pathOf(key);
      await lock(path, async () => {
        if (!(await exists(path))) return;
        // Pins may be what is removed.
        knownPins.clear();
        if ((await work(path)) === 'keep') return;
        opened.delete(path);
        fetchedAt.delete(path);
        await rm(path, { recursive: true, force: true });
      });
    },
  };
}
