import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signServiceToken } from '@millwright/crds';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clientGit, commit, failingGit } from '../testing/forge.ts';
import { startGitDaemon } from '../testing/git-daemon.ts';
import { claims, signingKey, tokenFor } from '../testing/git-host.ts';
import { base, mine, openScene, type Scene } from '../testing/scene.ts';
import { maintain } from './maintenance.ts';

// Dozens of git programs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let scene: Scene;
beforeEach(async () => {
  scene = await openScene();
});
afterEach(() => scene.close());

describe('one base for a Workflow', () => {
  it('stays where it was when the forge moves on', async () => {
    const first = await scene.checkout('a', tokenFor());
    await commit(scene.upstream.work, { 'later.txt': 'x' });
    await clientGit(scene.upstream.work, 'push', '-q', 'origin', 'main');
    const second = await scene.checkout('b', tokenFor({ task: 'task-2' }));
    expect(await clientGit(first, 'rev-parse', 'HEAD')).toBe(scene.upstream.head);
    expect(await clientGit(second, 'rev-parse', 'HEAD')).toBe(scene.upstream.head);
    const other = await scene.checkout('c', tokenFor({ workflow: 'wf-2' }), 'refs/workflows/wf-2/base');
    expect(await clientGit(other, 'rev-parse', 'HEAD')).not.toBe(scene.upstream.head);
  });

  it('is one commit for 12 sandboxes at once, though the branch moves meanwhile', async () => {
    let moving = true;
    const mover = (async () => {
      for (let i = 0; moving; i += 1) {
        await commit(scene.upstream.work, { 'moving.txt': String(i) });
        await clientGit(scene.upstream.work, 'push', '-q', 'origin', 'main');
      }
    })();
    const heads = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const work = await scene.checkout(`s${i}`, tokenFor({ task: `task-${i}` }));
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
    const wanted = await commit(scene.upstream.work, { 'release.txt': '1' });
    await clientGit(scene.upstream.work, 'push', '-q', 'origin', 'HEAD:refs/heads/release/1.x');
    await clientGit(scene.upstream.work, 'tag', '-a', 'v1', '-m', 'v1');
    await clientGit(scene.upstream.work, 'push', '-q', 'origin', 'v1');
    const work = await scene.checkout('r', tokenFor({ revision: name ?? wanted }));
    expect(await clientGit(work, 'rev-parse', 'HEAD')).toBe(wanted);
  });

  it.each(['no-such-branch', '--upload-pack=id', 'main~1', 'main:README.md', 'HEAD', 'a'.repeat(40), '@{-1}'])(
    'says that there is no revision %s',
    async (revision) => {
      const said = await failingGit(scene.folder, 'ls-remote', scene.host.cloneUrl(tokenFor({ revision })));
      expect(said).toContain(
        `spec.revision: ${scene.upstream.url} has no branch, tag or commit "${revision}"; correct it`,
      );
      expect(said).toContain('422');
    },
  );
});

describe('reading', () => {
  it('shows branches, tags, attempts and the base of the own Workflow only', async () => {
    await scene.checkout('a', tokenFor({ workflow: 'wf-2' }), 'refs/workflows/wf-2/base');
    const work = await scene.checkout('b', tokenFor());
    await commit(work, { 'new.txt': '1' });
    await scene.push(work);
    expect(await scene.remoteRefs(tokenFor())).toEqual(['HEAD', mine, 'refs/heads/main', base]);
  });

  it('follows branches that the forge deletes, and keeps attempts', async () => {
    await clientGit(scene.upstream.work, 'push', '-q', 'origin', 'main:refs/heads/gone');
    const work = await scene.checkout('a', tokenFor());
    await scene.push(work);
    await clientGit(scene.upstream.work, 'push', '-q', 'origin', ':refs/heads/gone');
    await scene.checkout('b', tokenFor({ workflow: 'wf-2' }), 'refs/workflows/wf-2/base');
    expect(await scene.remoteRefs(tokenFor())).toEqual(['HEAD', mine, 'refs/heads/main', base]);
  });

  it('does not need the forge once the base is chosen', async () => {
    await scene.checkout('a', tokenFor());
    scene.forge.failWith(503);
    await scene.checkout('b', tokenFor({ task: 'task-2' }));
  });

  it('lets the control plane read', async () => {
    const now = Math.floor(Date.now() / 1000);
    const service = signServiceToken({ aud: ['service'], sub: 'publisher', iat: now, exp: now + 60 }, signingKey);
    expect(await scene.remoteRefs(service)).toEqual(['HEAD', 'refs/heads/main']);
    const work = await scene.checkout('a', tokenFor());
    expect(await failingGit(work, 'push', scene.host.cloneUrl(service), `HEAD:${mine}`)).toContain(
      'publisher may read only',
    );
  });

  it('clones shallowly and with the old protocol', async () => {
    await clientGit(
      scene.folder,
      'clone',
      '-q',
      '--depth',
      '1',
      scene.host.cloneUrl(tokenFor()),
      join(scene.folder, 'shallow'),
    );
    await clientGit(
      scene.folder,
      '-c',
      'protocol.version=0',
      'clone',
      '-q',
      scene.host.cloneUrl(tokenFor()),
      join(scene.folder, 'old'),
    );
  });
});

describe('the forge', () => {
  it.each([
    ['is ill', 503, '503', 'cannot be read for now (The requested URL returned error: 503); it is tried again'],
    ['is forbidden', 403, '422', 'no access to'],
    ['has no such repository', 404, '422', 'no such repository:'],
  ])('%s: the reason is passed on, and whether it may pass', async (_, status, answered, reason) => {
    scene.forge.failWith(status);
    const said = await failingGit(scene.folder, 'ls-remote', scene.host.cloneUrl(tokenFor()));
    expect(said).toContain('remote: spec.repository.url of Project app: ');
    expect(said).toContain(scene.upstream.url);
    expect(said).toContain(reason);
    expect(said).toContain(`error: ${answered}`);
  });

  it('is not asked in vain: a git server without such a repository is no server that is away', async () => {
    const daemon = await startGitDaemon(scene.folder);
    try {
      await scene.host.setProjects({ 'team/app': { url: `${daemon.url}/gone.git` } });
      const said = await failingGit(scene.folder, 'ls-remote', scene.host.cloneUrl(tokenFor()));
      expect(said).toContain(
        `remote: spec.repository.url of Project app: no such repository: ${daemon.url}/gone.git; correct it`,
      );
      expect(said).toContain('error: 422');
    } finally {
      await daemon.close();
    }
  });

  it('without the default branch: its field is named', async () => {
    const { url } = scene.upstream;
    await scene.host.setProjects({
      'team/app': { url, defaultBranch: 'trunk', credentials: scene.forge.credentials },
    });
    const said = await failingGit(scene.folder, 'ls-remote', scene.host.cloneUrl(tokenFor()));
    expect(said).toContain(`spec.repository.defaultBranch of Project app: ${url} has no branch "trunk"; correct it`);
    expect(said).toContain('error: 422');
  });

  it('refuses wrong credentials, and no credential is shown', async () => {
    const url = scene.upstream.url.replace('//', '//someone:hidden-word@');
    await scene.host.setProjects({ 'team/app': { url, credentials: { username: 'bot', password: 'wrong-word' } } });
    const said = await failingGit(scene.folder, 'ls-remote', scene.host.cloneUrl(tokenFor()));
    expect(said).toContain('Authentication failed');
    expect(said + JSON.stringify(scene.host.lines)).not.toMatch(/hidden-word|wrong-word/);
  });

  it('is asked once for callers at the same time', async () => {
    await scene.checkout('a', tokenFor());
    await scene.restart({ MILLWRIGHT_FETCH_WINDOW_SECONDS: '60' });
    const before = scene.forge.requests();
    await Promise.all(Array.from({ length: 8 }, (_, i) => scene.remoteRefs(tokenFor({ workflow: `many-${i}` }))));
    // Without a login, with it, and the list of refs.
    expect(scene.forge.requests() - before).toBeLessThanOrEqual(4);
  });
});

describe('a lost volume', () => {
  it('comes back with base and attempts from the bundles', async () => {
    const work = await scene.checkout('a', tokenFor());
    await scene.push(work);
    const produced = await commit(work, { 'a.txt': '1' });
    await clientGit(work, 'push', '-q', scene.host.cloneUrl(tokenFor({ attempt: 2 })), 'HEAD:refs/attempts/task-1/2');
    await commit(scene.upstream.work, { 'later.txt': 'x' });
    await clientGit(scene.upstream.work, 'push', '-q', 'origin', 'main');
    await rm(join(scene.folder, 'data'), { recursive: true });
    await scene.restart();
    const found = await clientGit(scene.folder, 'ls-remote', scene.host.cloneUrl(tokenFor()));
    expect(found.split('\n').map((line) => line.split('\t').reverse())).toEqual(
      expect.arrayContaining([
        [base, scene.upstream.head],
        [mine, scene.upstream.head],
        ['refs/attempts/task-1/2', produced],
      ]),
    );
    const fresh = await scene.checkout('b', tokenFor(), 'refs/attempts/task-1/2');
    expect(await clientGit(fresh, 'rev-parse', 'HEAD')).toBe(produced);
    expect(scene.host.lines.filter((line) => line.level === 'error')).toEqual([]);
  });

  it('recovers a mirror that a killed git left locked', async () => {
    await scene.checkout('a', tokenFor());
    const mirror = join(scene.folder, 'data', 'mirrors', 'team', 'app.git');
    await writeFile(join(mirror, 'packed-refs.lock'), '');
    await writeFile(join(mirror, 'refs', 'heads', 'main.lock'), '');
    await scene.restart();
    await commit(scene.upstream.work, { 'later.txt': 'x' });
    await clientGit(scene.upstream.work, 'push', '-q', 'origin', 'main');
    await scene.checkout('b', tokenFor({ workflow: 'wf-2' }), 'refs/workflows/wf-2/base');
  });
});

describe('maintenance', () => {
  it('removes attempts and bases after their time, and nothing before', async () => {
    const work = await scene.checkout('a', tokenFor());
    await commit(work, { 'a.txt': '1' });
    await scene.push(work);
    await maintain(scene.host.maintenance, Date.now());
    expect(await scene.remoteRefs(tokenFor())).toContain(mine);
    await maintain(scene.host.maintenance, Date.now() + 31 * 86_400_000);
    for (const folder of [
      ['bundles', 'team'],
      ['data', 'mirrors', 'team'],
    ])
      expect(await readdir(join(scene.folder, ...folder))).toEqual([]);
    expect(await scene.remoteRefs(tokenFor({ workflow: 'wf-2' }))).toEqual([
      'HEAD',
      'refs/heads/main',
      'refs/workflows/wf-2/base',
    ]);
  });

  it('keeps a mirror that something has started from lately', async () => {
    const work = await scene.checkout('a', tokenFor());
    await commit(work, { 'a.txt': '1' });
    await scene.push(work);
    const bundles = join(scene.folder, 'bundles', 'team', 'app');
    const old = new Date(Date.now() - 40 * 86_400_000);
    for (const [folder, name] of [
      ['attempts', 'task-1/1'],
      ['workflows', 'wf-1'],
    ] as const)
      await utimes(join(bundles, folder, name), old, old);
    await scene.checkout('b', tokenFor({ workflow: 'wf-2' }), 'refs/workflows/wf-2/base');
    await maintain(scene.host.maintenance, Date.now());
    expect(await readdir(join(scene.folder, 'data', 'mirrors', 'team'))).toEqual(['app.git']);
    expect(await readdir(join(bundles, 'workflows'))).toEqual(['wf-2']);
  });
});

it('answers health and metrics', async () => {
  expect(await (await fetch(`${scene.host.url}/healthz`)).text()).toBe('ok\n');
  expect((await fetch(`${scene.host.url}/readyz`)).status).toBe(200);
  await scene.checkout('a', tokenFor(claims()));
  expect(await (await fetch(`${scene.host.url}/metrics`)).text()).toMatch(
    /millwright_git_fetch_seconds_count\{.*outcome="ok".*\} \d/,
  );
});
