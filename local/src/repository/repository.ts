import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';
import { repositoriesDir, repositoryUrl } from '../services/git-daemon.ts';
import { nobody } from '../services/unprivileged.ts';
import { findGo } from '../tools.ts';

/** The published package that the examples work on. A Go module carries its tests, and this one needs nothing but Go. */
const source = { module: 'github.com/google/uuid', version: 'v1.6.0', file: 'uuid.git' };

/** What a Project needs to know of a repository. */
export interface PreparedRepository {
  /** Clone URL, the same for pods and the host. */
  readonly url: string;
  readonly defaultBranch: string;
  /** The commit that holds the package as it was published: the same on every machine. */
  readonly commit: string;
}

const defaultBranch = 'main';
/** Points at the published source whatever happens to the branch. */
const publishedRef = `refs/tags/${source.version}`;

/**
 * Fetches the package by its ecosystem's own client and commits it to a bare repository that `git daemon` serves. A repository that is
 * there already is left as it is, with whatever has been pushed to it.
 *
 * @param file name of the repository's folder, for one that somebody needs alone
 * @throws CommandError when Go cannot fetch the module
 */
export async function prepareRepository(ctx: Context, file: string = source.file): Promise<PreparedRepository> {
  const repository = join(repositoriesDir(ctx), file);
  if (!existsSync(repository)) {
    await ctx.step(`Fetching ${source.module} ${source.version}`, () => createRepository(repository), 3);
  }
  const commit = (await git(repository, ['rev-parse', '--verify', `${publishedRef}^{commit}`])).trim();
  return { url: repositoryUrl(ctx, file), defaultBranch, commit };
}

async function createRepository(repository: string): Promise<void> {
  const folder = await fetchModule();
  const temporary = `${repository}.${process.pid}.new`;
  try {
    await run('git', ['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, temporary], {
      env: gitEnvironment,
    });
    // As forges do: objects are checked when they come, and a reader may ask for a commit by its name.
    await git(temporary, ['config', 'transfer.fsckObjects', 'true']);
    await git(temporary, ['config', 'uploadpack.allowReachableSHA1InWant', 'true']);
    // Housekeeping goes on in the background after a push and would outlive the daemon; so small a repository needs none.
    await git(temporary, ['config', 'receive.autogc', 'false']);
    await git(temporary, ['--work-tree', folder, 'add', '--all', '--force']);
    const tree = (await git(temporary, ['write-tree'])).trim();
    const message = `${source.module} ${source.version}`;
    const commit = (await git(temporary, ['commit-tree', tree, '-m', message])).trim();
    await git(temporary, ['update-ref', `refs/heads/${defaultBranch}`, commit]);
    await git(temporary, ['update-ref', publishedRef, commit]);
    rmSync(join(temporary, 'index'));
    if (process.getuid?.() === 0) await run('chown', ['-R', `${nobody.uid}:${nobody.gid}`, temporary]);
    renameSync(temporary, repository);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Returns the folder in Go's module cache, verified against the public checksum database. */
async function fetchModule(): Promise<string> {
  const env = { GOFLAGS: '', GOWORK: 'off' };
  const output = await run(findGo(), ['mod', 'download', '-json', `${source.module}@${source.version}`], {
    cwd: '/',
    env,
  });
  const { Dir } = JSON.parse(output) as { readonly Dir: string };
  return Dir;
}

/** The same author and date everywhere, and nobody's own settings: so the commit has the same name on every machine. */
const gitEnvironment = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Millwright',
  GIT_AUTHOR_EMAIL: 'millwright@millwright.dev',
  GIT_AUTHOR_DATE: '2024-01-23T00:00:00Z',
  GIT_COMMITTER_NAME: 'Millwright',
  GIT_COMMITTER_EMAIL: 'millwright@millwright.dev',
  GIT_COMMITTER_DATE: '2024-01-23T00:00:00Z',
};

function git(repository: string, args: readonly string[]): Promise<string> {
  return run('git', ['--git-dir', repository, ...args], { env: gitEnvironment });
}
