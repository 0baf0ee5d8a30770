import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IsOver } from '../git/attempts.ts';
import { clientGit, type Forge, startForge } from './forge.ts';
import { startGitHost, type TestGitHost, tokenFor } from './git-host.ts';

/** A forge with one repository, a git host with the Project `team/app` that names it, and what a sandbox does with both. */
export interface Scene {
  folder: string;
  forge: Forge;
  upstream: Awaited<ReturnType<Forge['repository']>>;
  /** Restarted by tests, so look it up each time. */
  host: TestGitHost;
  /** Ends the git host and starts one on the same volume. */
  restart(environment?: NodeJS.ProcessEnv, isOver?: IsOver): Promise<void>;
  /** What a sandbox does first: the Workflow's base in a fresh work tree. */
  checkout(name: string, token: string, ref?: string): Promise<string>;
  /** Pushes to the ref of attempt 1 of task-1. */
  push(work: string, ...more: string[]): Promise<string>;
  remoteRefs(token: string): Promise<(string | undefined)[]>;
  close(): Promise<void>;
}

/** Base of the Workflow, and ref of the attempt, of a token with nothing special. */
export const base = 'refs/workflows/wf-1/base';
export const mine = 'refs/attempts/task-1/1';

export async function openScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'millwright-git-'));
  const forge = await startForge(join(folder, 'forge'));
  const upstream = await forge.repository('app');
  const host = await startGitHost(folder);
  await host.setProjects({ 'team/app': { url: upstream.url, credentials: forge.credentials } });
  const scene: Scene = {
    folder,
    forge,
    upstream,
    host,
    restart: async (environment, isOver) => {
      await scene.host.close();
      scene.host = await startGitHost(folder, environment, isOver);
    },
    checkout: async (name, token, ref = base) => {
      const work = join(folder, name);
      await clientGit(folder, 'init', '-q', work);
      await clientGit(work, 'remote', 'add', 'origin', scene.host.cloneUrl(token));
      await clientGit(work, 'fetch', '-q', 'origin', ref);
      await clientGit(work, 'checkout', '-q', '-B', 'work', 'FETCH_HEAD');
      return work;
    },
    push: (work, ...more) => clientGit(work, 'push', '-q', 'origin', `HEAD:${mine}`, ...more),
    remoteRefs: async (token = tokenFor()) =>
      (await clientGit(folder, 'ls-remote', scene.host.cloneUrl(token))).split('\n').map((line) => line.split('\t')[1]),
    close: async () => {
      await scene.host.close();
      await forge.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return scene;
}
