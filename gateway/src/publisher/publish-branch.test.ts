import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PublishBranchMessage } from '@millwright/crds';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CredentialsError, fileProjects } from '../shared/projects.ts';
import { clientGit, commit, type Forge, startForge } from '../testing/forge.ts';
import { signingKey, startGitHost, type TestGitHost, tokenFor } from '../testing/git-host.ts';
import { type PublishOptions, publishBranch } from './publish-branch.ts';

// Dozens of git programs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
let forge: Forge;
let host: TestGitHost;
let upstream: Awaited<ReturnType<Forge['repository']>>;
let options: PublishOptions;
let produced: string;
let work: string;

const branch = 'ai/generated/fix-tests/build';
const effect = (change: Partial<PublishBranchMessage> = {}): PublishBranchMessage => ({
  type: 'publishBranch',
  id: 'task-1:1:branch',
  task: { uid: 'task-1', namespace: 'team', name: 'build' },
  attempt: 1,
  epoch: 1,
  project: 'app',
  ref: 'refs/attempts/task-1/1',
  commit: produced,
  branch,
  ...change,
});
const onForge = async (ref = `refs/heads/${branch}`) =>
  (await clientGit(upstream.bare, 'for-each-ref', '--format=%(objectname)', ref)).trim();
const hook = async (name: string, script: string) => {
  const file = join(upstream.bare, 'hooks', name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millwright-publish-'));
  forge = await startForge(join(folder, 'forge'));
  upstream = await forge.repository('app');
  host = await startGitHost(folder);
  await host.setProjects({ 'team/app': { url: upstream.url, credentials: forge.credentials } });
  work = join(folder, 'work');
  await clientGit(folder, 'clone', '-q', host.cloneUrl(tokenFor()), work);
  produced = await commit(work, { 'fix.txt': 'fixed' });
  await clientGit(work, 'push', '-q', 'origin', 'HEAD:refs/attempts/task-1/1');
  options = {
    lookup: fileProjects(join(folder, 'projects.json')),
    gitUrls: [host.url],
    signingKey,
    workDir: join(folder, 'publisher'),
  };
});
afterEach(async () => {
  await host.close();
  await forge.close();
  await rm(folder, { recursive: true, force: true });
});

describe('publishing a branch', () => {
  it('puts the commit on the forge, and again without harm', async () => {
    const answer = await publishBranch(effect(), options);
    expect(answer).toMatchObject({ type: 'effectResult', id: 'task-1:1:branch', ok: true, branch, commit: produced });
    expect(await onForge()).toBe(produced);
    const requests = forge.requests();
    expect(await publishBranch(effect(), options)).toEqual(answer);
    // Asked (without a login, then with it), and not pushed.
    expect(forge.requests() - requests).toBeLessThanOrEqual(3);
  });

  it('is the same when four do it at once', async () => {
    const each = Array.from({ length: 4 }, (_, i) => ({ ...options, workDir: join(folder, `publisher-${i}`) }));
    const answers = await Promise.all(each.map((own) => publishBranch(effect(), own)));
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, true]);
    expect(await onForge()).toBe(produced);
  });

  it('replaces what an earlier attempt published, though it is no ancestor', async () => {
    await publishBranch(effect(), options);
    await clientGit(work, 'reset', '-q', '--hard', 'HEAD~1');
    const second = await commit(work, { 'other.txt': 'better' });
    await clientGit(work, 'push', '-q', host.cloneUrl(tokenFor({ attempt: 2 })), 'HEAD:refs/attempts/task-1/2');
    const answer = await publishBranch(effect({ attempt: 2, ref: 'refs/attempts/task-1/2', commit: second }), options);
    expect(answer.ok).toBe(true);
    expect(await onForge()).toBe(second);
  });

  it('publishes the commit that was verified, though the ref has moved on', async () => {
    await clientGit(work, 'commit', '-q', '--amend', '-m', 'Another');
    await clientGit(work, 'push', '-q', '--force', 'origin', 'HEAD:refs/attempts/task-1/1');
    expect(await publishBranch(effect(), options)).toMatchObject({ ok: true });
    expect(await onForge()).toBe(produced);
  });

  it('looks again when the branch moved between looking and pushing', async () => {
    // The first push finds the branch moved by somebody else.
    const file = `refs/heads/${branch}`;
    await hook(
      'pre-receive',
      `test -e moved || { touch moved; mkdir -p $(dirname ${file}); echo ${upstream.head} >${file}; }`,
    );
    expect(await publishBranch(effect(), options)).toMatchObject({ ok: true });
    expect(await onForge()).toBe(produced);
  });
});

describe('what cannot be published', () => {
  const refused: [string, Partial<PublishBranchMessage>, RegExp][] = [
    ['the default branch', { branch: 'main' }, /not a branch of the form ai\/generated/],
    ['a branch outside its folder', { branch: 'ai/generated/../main' }, /not a branch of the form/],
    ['a branch with too few parts', { branch: 'ai/generated/main' }, /not a branch of the form/],
    ['an option', { branch: '--mirror' }, /not a branch of the form/],
    ['a refspec', { branch: 'ai/generated/a/b:refs/heads/main' }, /not a branch of the form/],
    ["another attempt's ref", { ref: 'refs/attempts/task-1/2' }, /not the ref of attempt 1/],
    ['a commit that is not there', { commit: 'a'.repeat(40) }, /no commit aaaa/],
    ['a project that is a path', { project: '../../etc' }, /not a namespace and a name/],
    ['a project that is not there', { project: 'gone' }, /Project team\/gone does not exist/],
  ];
  it.each(refused)('%s: says so, once', async (_, change, reason) => {
    const answer = await publishBranch(effect(change), options);
    expect(answer).toMatchObject({ ok: false, failure: 'permanent', message: expect.stringMatching(reason) });
    expect(await onForge('refs/heads')).toBe(upstream.head);
  });

  it("gives the forge's words when a hook declines", async () => {
    await hook('pre-receive', 'echo "branches from robots are not welcome" >&2; exit 1');
    const answer = await publishBranch(effect(), options);
    expect(answer).toMatchObject({ ok: false, failure: 'permanent' });
    expect(answer.message).toContain('branches from robots are not welcome');
  });

  it('says which branch is in the way', async () => {
    await clientGit(upstream.bare, 'update-ref', 'refs/heads/ai/generated/fix-tests', upstream.head);
    const answer = await publishBranch(effect(), options);
    expect(answer).toMatchObject({ ok: false, failure: 'permanent' });
    expect(answer.message).toContain("'refs/heads/ai/generated/fix-tests' exists");
  });

  it('does not try again what a rule of the forge refuses', async () => {
    await clientGit(upstream.bare, 'config', 'receive.denyNonFastForwards', 'true');
    await clientGit(upstream.work, 'checkout', '-q', '--orphan', 'other');
    const other = await commit(upstream.work, { 'other.txt': 'x' });
    await clientGit(upstream.work, 'push', '-q', 'origin', `${other}:refs/heads/${branch}`);
    const answer = await publishBranch(effect(), options);
    expect(answer).toMatchObject({
      ok: false,
      failure: 'permanent',
      message: expect.stringContaining('non-fast-forward'),
    });
    expect(answer.message).toContain('let the credentials of the Project push branches ai/generated/**');
    expect(await onForge()).toBe(other);
  });

  it('may work later when a hook declines because the forge is ill', async () => {
    await hook('pre-receive', 'test -e ill || { touch ill; echo "forge: Internal Server Error" >&2; exit 1; }');
    expect(await publishBranch(effect(), options)).toMatchObject({ ok: false, failure: 'temporary' });
    expect(await publishBranch(effect(), options)).toMatchObject({ ok: true });
  });

  it('tells wrong credentials apart, and shows none', async () => {
    await host.setProjects({
      'team/app': { url: upstream.url, credentials: { username: 'bot', password: 'wrong-word' } },
    });
    const answer = await publishBranch(effect(), options);
    expect(answer).toMatchObject({
      ok: false,
      failure: 'credentials',
      message: expect.stringContaining('Authentication failed'),
    });
    expect(answer.message).not.toContain('wrong-word');
  });

  it.each([
    [503, 'temporary'],
    [401, 'credentials'],
    [403, 'credentials'],
  ] as const)('says once what a forge that answers %i needs, and succeeds when it has it', async (status, failure) => {
    forge.failWith(status);
    const requests = forge.requests();
    expect(await publishBranch(effect(), options)).toMatchObject({ ok: false, failure });
    expect(forge.requests() - requests).toBeLessThanOrEqual(2);
    forge.failWith(undefined);
    expect(await publishBranch(effect(), options)).toMatchObject({ ok: true });
    expect(await onForge()).toBe(produced);
  });

  it('tells missing credentials apart, as they are while somebody replaces the Secret', async () => {
    const lookup = () => Promise.reject(new CredentialsError('Secret login does not exist', false));
    expect(await publishBranch(effect(), { ...options, lookup })).toMatchObject({ ok: false, failure: 'credentials' });
  });

  it('may work later when the git host is away', async () => {
    const url = host.url;
    await host.close();
    const answer = await publishBranch(effect(), { ...options, gitUrls: [url] });
    expect(answer).toMatchObject({ ok: false, failure: 'temporary' });
    host = await startGitHost(folder);
  });
});
