import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clientGit, commit, failingGit } from '../testing/forge.ts';
import { tokenFor } from '../testing/git-host.ts';
import { base, mine, openScene, type Scene } from '../testing/scene.ts';

// Dozens of git programs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let scene: Scene;
beforeEach(async () => {
  scene = await openScene();
});
afterEach(() => scene.close());

describe('pushing', () => {
  it('takes the ref of the attempt, and takes it again', async () => {
    const work = await scene.checkout('a', tokenFor());
    const first = await commit(work, { 'a.txt': '1' });
    await scene.push(work);
    expect((await clientGit(scene.folder, 'ls-remote', scene.host.cloneUrl(tokenFor()), mine)).split('\t')[0]).toBe(
      first,
    );
    const second = await commit(work, { 'b.txt': '1' });
    await scene.push(work);
    await clientGit(work, 'reset', '-q', '--hard', first);
    const third = await commit(work, { 'c.txt': '1' });
    expect(await failingGit(work, 'push', 'origin', `HEAD:${mine}`)).toContain('rejected');
    await scene.push(work, '--force');
    expect((await clientGit(scene.folder, 'ls-remote', scene.host.cloneUrl(tokenFor()), mine)).split('\t')[0]).toBe(
      third,
    );
    expect(second).not.toBe(third);
  });

  it('takes a large push, which git sends in pieces and with a probe before it', async () => {
    const work = await scene.checkout('a', tokenFor());
    const random = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('base64');
    await commit(work, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}.txt`, `${i}${random}${i}`])));
    await clientGit(work, 'config', 'http.postBuffer', '65536');
    await scene.push(work);
  });

  it('takes a push from a shallow clone', async () => {
    await commit(scene.upstream.work, { 'more.txt': '1' });
    await clientGit(scene.upstream.work, 'push', '-q', 'origin', 'main');
    const work = join(scene.folder, 'shallow');
    await clientGit(scene.folder, 'clone', '-q', '--depth', '1', scene.host.cloneUrl(tokenFor()), work);
    await commit(work, { 'a.txt': '1' });
    await scene.push(work);
  });

  const refused: [string, string[], string][] = [
    ['the default branch', ['HEAD:refs/heads/main'], '(this token may push refs/attempts/task-1/1 only)'],
    ['a tag', ['HEAD:refs/tags/v9'], 'may push refs/attempts/task-1/1 only'],
    ['the base', [`+HEAD:${base}`], 'may push refs/attempts/task-1/1 only'],
    ['the next attempt', ['HEAD:refs/attempts/task-1/2'], 'may push refs/attempts/task-1/1 only'],
    ["another task's attempt", ['HEAD:refs/attempts/task-2/1'], 'may push refs/attempts/task-1/1 only'],
    ['a ref below its own', [`HEAD:${mine}/x`], 'may push refs/attempts/task-1/1 only'],
    ['its own ref and another', [`HEAD:${mine}`, 'HEAD:refs/heads/x'], 'may push refs/attempts/task-1/1 only'],
  ];
  it.each(refused)('refuses %s', async (_, refs, reason) => {
    const work = await scene.checkout('a', tokenFor());
    await commit(work, { 'a.txt': '1' });
    const before = await scene.remoteRefs(tokenFor());
    expect(await failingGit(work, 'push', 'origin', ...refs)).toContain(reason);
    expect(await scene.remoteRefs(tokenFor())).toEqual(before);
  });

  it('refuses to delete the ref', async () => {
    const work = await scene.checkout('a', tokenFor());
    await scene.push(work);
    expect(await failingGit(work, 'push', 'origin', `:${mine}`)).toContain('refs/attempts/task-1/1 cannot be deleted');
    expect(await scene.remoteRefs(tokenFor())).toContain(mine);
  });

  it('takes no more bytes than one attempt may push in all', async () => {
    await scene.restart({ MILLWRIGHT_MAX_PUSH_BYTES: '100000' });
    const work = await scene.checkout('a', tokenFor());
    const noise = () => Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('latin1');
    await commit(work, { 'a.bin': noise() });
    await scene.push(work);
    await commit(work, { 'b.bin': noise() });
    expect(await failingGit(work, 'push', 'origin', `HEAD:${mine}`)).toMatch(/413|At most 100000 bytes/);
  });

  it('refuses objects that are not what they should be', async () => {
    const work = await scene.checkout('a', tokenFor());
    const blob = await clientGit(work, 'hash-object', '-w', 'README.md');
    // A tree with an entry ".git": checked out, it would put a repository's configuration in place.
    const tree = Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob, 'hex')]);
    const id = execFileSync('git', ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
      cwd: work,
      input: tree,
    });
    const bad = await clientGit(work, 'commit-tree', id.toString().trim(), '-m', 'bad');
    expect(await failingGit(work, 'push', 'origin', `${bad}:${mine}`)).toMatch(/hasDotgit|fsck|unpack/);
    expect(await scene.remoteRefs(tokenFor())).not.toContain(mine);
  });
});

describe('tokens', () => {
  const seconds = Math.floor(Date.now() / 1000);
  const refused: [string, () => string, string, string][] = [
    ['an expired one', () => tokenFor({ iat: seconds - 100, exp: seconds - 1 }), 'team/app.git', 'has expired'],
    [
      "another project's",
      () => tokenFor({ project: 'other' }),
      'team/app.git',
      'for project team/other, not for team/app',
    ],
    ["another namespace's", () => tokenFor({ ns: 'rival' }), 'team/app.git', 'for project rival/app, not for team/app'],
    ['one for artifacts', () => tokenFor({ aud: ['artifacts'] }), 'team/app.git', 'not meant for git'],
    ['rubbish', () => 'rubbish', 'team/app.git', 'is not a JWT'],
    [
      'one for a Project that is gone',
      () => tokenFor({ project: 'gone' }),
      'team/gone.git',
      'Project team/gone does not exist',
    ],
    ['one with a path', () => tokenFor(), 'team/..%2F..%2Fetc.git', 'Repositories are at'],
  ];
  it.each(refused)('refuses %s', async (_, token, path, reason) => {
    const response = await fetch(`${scene.host.url}/${path}/info/refs?service=git-upload-pack`, {
      headers: { authorization: `Bearer ${token()}` },
    });
    expect(await response.text()).toContain(reason);
    expect(response.status).toBeGreaterThanOrEqual(400);
  });

  it('asks for one', async () => {
    const response = await fetch(`${scene.host.url}/team/app.git/info/refs?service=git-upload-pack`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Basic');
  });

  it('ends with the attempt, while verification of it may still read', async () => {
    const work = await scene.checkout('a', tokenFor());
    await scene.push(work);
    const old = tokenFor({ iat: seconds - 10 });
    scene.host.revocations.apply({
      type: 'revoke',
      task: { uid: 'task-1', namespace: 'team', name: 'build' },
      attempt: 1,
    });
    for (const token of [old, tokenFor(), tokenFor({ kind: 'verify', iat: seconds - 10 })])
      expect(await failingGit(work, 'ls-remote', scene.host.cloneUrl(token))).toContain('Authentication failed');
    const verify = tokenFor({ kind: 'verify', iat: Math.floor(Date.now() / 1000) + 2 });
    expect(await scene.remoteRefs(verify)).toContain(mine);
    await commit(work, { 'late.txt': '1' });
    expect(await failingGit(work, 'push', scene.host.cloneUrl(verify), `HEAD:${mine}`)).toContain(
      'Verification may read only',
    );
    expect(await scene.remoteRefs(tokenFor({ attempt: 2 }))).toContain(mine);
  });

  it('stays over for a git host that has just started, for git and artifacts', async () => {
    const asked: number[] = [];
    await scene.restart({}, async ({ attempt }) => {
      asked.push(attempt);
      return attempt === 1;
    });
    expect(await failingGit(scene.folder, 'ls-remote', scene.host.cloneUrl(tokenFor()))).toContain(
      'Authentication failed',
    );
    const artifact = await fetch(`${scene.host.url}/artifacts/sha256:${'0'.repeat(64)}`, {
      headers: { authorization: `Bearer ${tokenFor()}` },
    });
    expect([artifact.status, await artifact.text()]).toEqual([401, 'Not accepted: the attempt has ended.\n']);
    await scene.remoteRefs(tokenFor({ attempt: 2 }));
    expect(new Set(asked)).toEqual(new Set([1, 2]));
  });
});
