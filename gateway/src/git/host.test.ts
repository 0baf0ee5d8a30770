import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signServiceToken } from '@millwright/crds';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clientGit, commit, type Forge, failingGit, startForge } from '../testing/forge.ts';
import { claims, signingKey, startGitHost, type TestGitHost, tokenFor } from '../testing/git-host.ts';
import { maintain } from './maintenance.ts';

// Dozens of git programs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
let forge: Forge;
let host: TestGitHost;
let upstream: Awaited<ReturnType<Forge['repository']>>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millwright-git-'));
  forge = await startForge(join(folder, 'forge'));
  upstream = await forge.repository('app');
  host = await startGitHost(folder);
  await host.setProjects({ 'team/app': { url: upstream.url, credentials: forge.credentials } });
});
afterEach(async () => {
  await host.close();
  await forge.close();
  await rm(folder, { recursive: true, force: true });
});

const base = 'refs/workflows/wf-1/base';
const mine = 'refs/attempts/task-1/1';

/** What a sandbox does first: the Workflow's base in a fresh work tree. */
async function checkout(name: string, token: string, ref = base): Promise<string> {
  const work = join(folder, name);
  await clientGit(folder, 'init', '-q', work);
  await clientGit(work, 'remote', 'add', 'origin', host.cloneUrl(token));
  await clientGit(work, 'fetch', '-q', 'origin', ref);
  await clientGit(work, 'checkout', '-q', '-B', 'work', 'FETCH_HEAD');
  return work;
}
const push = (work: string, ...more: string[]) => clientGit(work, 'push', '-q', 'origin', `HEAD:${mine}`, ...more);
const remoteRefs = async (token: string) =>
  (await clientGit(folder, 'ls-remote', host.cloneUrl(token))).split('\n').map((line) => line.split('\t')[1]);

describe('one base for a Workflow', () => {
  it('stays where it was when the forge moves on', async () => {
    const first = await checkout('a', tokenFor());
    await commit(upstream.work, { 'later.txt': 'x' });
    await clientGit(upstream.work, 'push', '-q', 'origin', 'main');
    const second = await checkout('b', tokenFor({ task: 'task-2' }));
    expect(await clientGit(first, 'rev-parse', 'HEAD')).toBe(upstream.head);
    expect(await clientGit(second, 'rev-parse', 'HEAD')).toBe(upstream.head);
    const other = await checkout('c', tokenFor({ workflow: 'wf-2' }), 'refs/workflows/wf-2/base');
    expect(await clientGit(other, 'rev-parse', 'HEAD')).not.toBe(upstream.head);
  });

  it('is one commit for 12 sandboxes at once, though the branch moves meanwhile', async () => {
    let moving = true;
    const mover = (async () => {
      for (let i = 0; moving; i += 1) {
        await commit(upstream.work, { 'moving.txt': String(i) });
        await clientGit(upstream.work, 'push', '-q', 'origin', 'main');
      }
    })();
    const heads = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const work = await checkout(`s${i}`, tokenFor({ task: `task-${i}` }));
        return clientGit(work, 'rev-parse', 'HEAD');
      }),
    );
    moving = false;
    await mover;
    expect(new Set(heads).size).toBe(1);
  }, 30_000);

  it.each([
    ['a branch', 'release/1.x'],
    ['a tag', 'v1'],
    ['a commit', undefined],
  ])('starts from %s', async (_, name) => {
    const wanted = await commit(upstream.work, { 'release.txt': '1' });
    await clientGit(upstream.work, 'push', '-q', 'origin', 'HEAD:refs/heads/release/1.x');
    await clientGit(upstream.work, 'tag', '-a', 'v1', '-m', 'v1');
    await clientGit(upstream.work, 'push', '-q', 'origin', 'v1');
    const work = await checkout('r', tokenFor({ revision: name ?? wanted }));
    expect(await clientGit(work, 'rev-parse', 'HEAD')).toBe(wanted);
  });

  it.each(['no-such-branch', '--upload-pack=id', 'main~1', 'main:README.md', 'HEAD', 'a'.repeat(40), '@{-1}'])(
    'says that there is no revision %s',
    async (revision) => {
      const said = await failingGit(folder, 'ls-remote', host.cloneUrl(tokenFor({ revision })));
      expect(said).toContain(`no branch, tag or commit "${revision}": correct spec.revision`);
      expect(said).toContain('422');
    },
  );
});

describe('reading', () => {
  it('shows branches, tags, attempts and the base of the own Workflow only', async () => {
    await checkout('a', tokenFor({ workflow: 'wf-2' }), 'refs/workflows/wf-2/base');
    const work = await checkout('b', tokenFor());
    await commit(work, { 'new.txt': '1' });
    await push(work);
    expect(await remoteRefs(tokenFor())).toEqual(['HEAD', mine, 'refs/heads/main', base]);
  });

  it('follows branches that the forge deletes, and keeps attempts', async () => {
    await clientGit(upstream.work, 'push', '-q', 'origin', 'main:refs/heads/gone');
    const work = await checkout('a', tokenFor());
    await push(work);
    await clientGit(upstream.work, 'push', '-q', 'origin', ':refs/heads/gone');
    await checkout('b', tokenFor({ workflow: 'wf-2' }), 'refs/workflows/wf-2/base');
    expect(await remoteRefs(tokenFor())).toEqual(['HEAD', mine, 'refs/heads/main', base]);
  });

  it('does not need the forge once the base is chosen', async () => {
    await checkout('a', tokenFor());
    forge.failWith(503);
    await checkout('b', tokenFor({ task: 'task-2' }));
  });

  it('lets the control plane read', async () => {
    const now = Math.floor(Date.now() / 1000);
    const service = signServiceToken({ aud: ['service'], sub: 'publisher', iat: now, exp: now + 60 }, signingKey);
    expect(await remoteRefs(service)).toEqual(['HEAD', 'refs/heads/main']);
    const work = await checkout('a', tokenFor());
    expect(await failingGit(work, 'push', host.cloneUrl(service), `HEAD:${mine}`)).toContain('publisher may read only');
  });

  it('clones shallowly and with the old protocol', async () => {
    await clientGit(folder, 'clone', '-q', '--depth', '1', host.cloneUrl(tokenFor()), join(folder, 'shallow'));
    await clientGit(folder, '-c', 'protocol.version=0', 'clone', '-q', host.cloneUrl(tokenFor()), join(folder, 'old'));
  });
});

describe('pushing', () => {
  it('takes the ref of the attempt, and takes it again', async () => {
    const work = await checkout('a', tokenFor());
    const first = await commit(work, { 'a.txt': '1' });
    await push(work);
    expect((await clientGit(folder, 'ls-remote', host.cloneUrl(tokenFor()), mine)).split('\t')[0]).toBe(first);
    const second = await commit(work, { 'b.txt': '1' });
    await push(work);
    await clientGit(work, 'reset', '-q', '--hard', first);
    const third = await commit(work, { 'c.txt': '1' });
    expect(await failingGit(work, 'push', 'origin', `HEAD:${mine}`)).toContain('rejected');
    await push(work, '--force');
    expect((await clientGit(folder, 'ls-remote', host.cloneUrl(tokenFor()), mine)).split('\t')[0]).toBe(third);
    expect(second).not.toBe(third);
  });

  it('takes a large push, which git sends in pieces and with a probe before it', async () => {
    const work = await checkout('a', tokenFor());
    const random = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('base64');
    await commit(work, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}.txt`, `${i}${random}${i}`])));
    await clientGit(work, 'config', 'http.postBuffer', '65536');
    await push(work);
  });

  it('takes a push from a shallow clone', async () => {
    await commit(upstream.work, { 'more.txt': '1' });
    await clientGit(upstream.work, 'push', '-q', 'origin', 'main');
    const work = join(folder, 'shallow');
    await clientGit(folder, 'clone', '-q', '--depth', '1', host.cloneUrl(tokenFor()), work);
    await commit(work, { 'a.txt': '1' });
    await push(work);
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
    const work = await checkout('a', tokenFor());
    await commit(work, { 'a.txt': '1' });
    const before = await remoteRefs(tokenFor());
    expect(await failingGit(work, 'push', 'origin', ...refs)).toContain(reason);
    expect(await remoteRefs(tokenFor())).toEqual(before);
  });

  it('refuses to delete the ref', async () => {
    const work = await checkout('a', tokenFor());
    await push(work);
    expect(await failingGit(work, 'push', 'origin', `:${mine}`)).toContain('refs/attempts/task-1/1 cannot be deleted');
    expect(await remoteRefs(tokenFor())).toContain(mine);
  });

  it('takes no more bytes than one attempt may push in all', async () => {
    await host.close();
    host = await startGitHost(folder, { MILLWRIGHT_MAX_PUSH_BYTES: '100000' });
    const work = await checkout('a', tokenFor());
    const noise = () => Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('latin1');
    await commit(work, { 'a.bin': noise() });
    await push(work);
    await commit(work, { 'b.bin': noise() });
    expect(await failingGit(work, 'push', 'origin', `HEAD:${mine}`)).toMatch(/413|At most 100000 bytes/);
  });

  it('refuses objects that are not what they should be', async () => {
    const work = await checkout('a', tokenFor());
    const blob = await clientGit(work, 'hash-object', '-w', 'README.md');
    const { execFileSync } = await import('node:child_process');
    // A tree with an entry ".git": checked out, it would put a repository's configuration in place.
    const tree = Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob, 'hex')]);
    const id = execFileSync('git', ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
      cwd: work,
      input: tree,
    });
    const bad = await clientGit(work, 'commit-tree', id.toString().trim(), '-m', 'bad');
    expect(await failingGit(work, 'push', 'origin', `${bad}:${mine}`)).toMatch(/hasDotgit|fsck|unpack/);
    expect(await remoteRefs(tokenFor())).not.toContain(mine);
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
    const response = await fetch(`${host.url}/${path}/info/refs?service=git-upload-pack`, {
      headers: { authorization: `Bearer ${token()}` },
    });
    expect(await response.text()).toContain(reason);
    expect(response.status).toBeGreaterThanOrEqual(400);
  });

  it('asks for one', async () => {
    const response = await fetch(`${host.url}/team/app.git/info/refs?service=git-upload-pack`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Basic');
  });

  it('ends with the attempt, while verification of it may still read', async () => {
    const work = await checkout('a', tokenFor());
    await push(work);
    const old = tokenFor({ iat: seconds - 10 });
    host.revocations.apply({ type: 'revoke', task: { uid: 'task-1', namespace: 'team', name: 'build' }, attempt: 1 });
    for (const token of [old, tokenFor(), tokenFor({ kind: 'verify', iat: seconds - 10 })])
      expect(await failingGit(work, 'ls-remote', host.cloneUrl(token))).toContain('Authentication failed');
    const verify = tokenFor({ kind: 'verify', iat: Math.floor(Date.now() / 1000) + 2 });
    expect(await remoteRefs(verify)).toContain(mine);
    await commit(work, { 'late.txt': '1' });
    expect(await failingGit(work, 'push', host.cloneUrl(verify), `HEAD:${mine}`)).toContain(
      'Verification may read only',
    );
    expect(await remoteRefs(tokenFor({ attempt: 2 }))).toContain(mine);
  });
});

describe('the forge', () => {
  it.each([
    ['is ill', 503, '503'],
    ['is forbidden', 403, '422'],
  ])('%s: the reason is passed on', async (_, status, answered) => {
    forge.failWith(status);
    const said = await failingGit(folder, 'ls-remote', host.cloneUrl(tokenFor()));
    expect(said).toContain(`Cannot fetch ${upstream.url}`);
    expect(said).toContain(`error: ${status}`);
    expect(said).toContain(`error: ${answered}`);
  });

  it('refuses wrong credentials, and no credential is shown', async () => {
    const url = upstream.url.replace('//', '//someone:hidden-word@');
    await host.setProjects({ 'team/app': { url, credentials: { username: 'bot', password: 'wrong-word' } } });
    const said = await failingGit(folder, 'ls-remote', host.cloneUrl(tokenFor()));
    expect(said).toContain('Authentication failed');
    expect(said + JSON.stringify(host.lines)).not.toMatch(/hidden-word|wrong-word/);
  });

  it('is asked once for callers at the same time', async () => {
    await checkout('a', tokenFor());
    await host.close();
    host = await startGitHost(folder, { MILLWRIGHT_FETCH_WINDOW_SECONDS: '60' });
    const before = forge.requests();
    await Promise.all(Array.from({ length: 8 }, (_, i) => remoteRefs(tokenFor({ workflow: `many-${i}` }))));
    // Without a login, with it, and the list of refs.
    expect(forge.requests() - before).toBeLessThanOrEqual(4);
  });
});

describe('a lost volume', () => {
  it('comes back with base and attempts from the bundles', async () => {
    const work = await checkout('a', tokenFor());
    await push(work);
    const produced = await commit(work, { 'a.txt': '1' });
    await clientGit(work, 'push', '-q', host.cloneUrl(tokenFor({ attempt: 2 })), 'HEAD:refs/attempts/task-1/2');
    await commit(upstream.work, { 'later.txt': 'x' });
    await clientGit(upstream.work, 'push', '-q', 'origin', 'main');
    await host.close();
    await rm(join(folder, 'data'), { recursive: true });
    host = await startGitHost(folder);
    const found = await clientGit(folder, 'ls-remote', host.cloneUrl(tokenFor()));
    expect(found.split('\n').map((line) => line.split('\t').reverse())).toEqual(
      expect.arrayContaining([
        [base, upstream.head],
        [mine, upstream.head],
        ['refs/attempts/task-1/2', produced],
      ]),
    );
    const fresh = await checkout('b', tokenFor(), 'refs/attempts/task-1/2');
    expect(await clientGit(fresh, 'rev-parse', 'HEAD')).toBe(produced);
    expect(host.lines.filter((line) => line.level === 'error')).toEqual([]);
  });

  it('recovers a mirror that a killed git left locked', async () => {
    await checkout('a', tokenFor());
    await host.close();
    const mirror = join(folder, 'data', 'mirrors', 'team', 'app.git');
    const { writeFile } = await import('node:fs/promises');
    await writeFile(join(mirror, 'packed-refs.lock'), '');
    await writeFile(join(mirror, 'refs', 'heads', 'main.lock'), '');
    host = await startGitHost(folder);
    await commit(upstream.work, { 'later.txt': 'x' });
    await clientGit(upstream.work, 'push', '-q', 'origin', 'main');
    await checkout('b', tokenFor({ workflow: 'wf-2' }), 'refs/workflows/wf-2/base');
  });
});

describe('maintenance', () => {
  it('removes attempts and bases after their time, and nothing before', async () => {
    const work = await checkout('a', tokenFor());
    await commit(work, { 'a.txt': '1' });
    await push(work);
    await maintain(host.maintenance, Date.now());
    expect(await remoteRefs(tokenFor())).toContain(mine);
    await maintain(host.maintenance, Date.now() + 31 * 86_400_000);
    expect(await remoteRefs(tokenFor({ workflow: 'wf-2' }))).toEqual([
      'HEAD',
      'refs/heads/main',
      'refs/workflows/wf-2/base',
    ]);
    expect(await readdir(join(folder, 'bundles', 'team', 'app', 'attempts', 'task-1'))).toEqual([]);
  });
});

it('answers health and metrics', async () => {
  expect(await (await fetch(`${host.url}/healthz`)).text()).toBe('ok\n');
  expect((await fetch(`${host.url}/readyz`)).status).toBe(200);
  await checkout('a', tokenFor(claims()));
  expect(await (await fetch(`${host.url}/metrics`)).text()).toMatch(
    /millwright_git_fetch_seconds_count\{.*outcome="ok".*\} \d/,
  );
});
