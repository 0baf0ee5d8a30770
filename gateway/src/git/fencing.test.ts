import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { clientGit, commit, failingGit } from '../testing/forge.ts';
import { tokenFor } from '../testing/git-host.ts';
import { mine, openScene, type Scene } from '../testing/scene.ts';

// Dozens of git programs, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let scene: Scene;
let work: string;
beforeEach(async () => {
  scene = await openScene();
  work = await scene.checkout('a', tokenFor());
});
afterEach(() => scene.close());

const remote = async () =>
  (await clientGit(scene.folder, 'ls-remote', scene.host.cloneUrl(tokenFor()), mine)).split('\t')[0];
const isKept = () => existsSync(join(scene.folder, 'bundles/team/app/attempts/task-1/1'));
const push = () => failingGit(work, 'push', '-q', '--force', 'origin', `HEAD:${mine}`);

it('takes back what the policy does not let agents change, and says what and why', async () => {
  await commit(work, { '.github/workflows/ci.yml': 'on: push\n', 'a.txt': '1' });
  const said = await push();
  expect(said).toContain('remote: the policy of Project app (spec.policy) refuses these changes');
  expect(said).toMatch(/^remote: "\.github\/workflows\/ci\.yml" is of a kind that the policy denies: ci; .*classes\)/m);
  expect(said).toMatch(/^ ! \[remote rejected\] .* \(fenced\)$/m);
  expect([await remote(), isKept()]).toEqual(['', false]);
  expect(scene.host.lines).toContainEqual(expect.objectContaining({ level: 'warn', message: 'push fenced' }));

  await clientGit(work, 'rm', '-rq', '.github');
  const corrected = await commit(work, {});
  await scene.push(work);
  expect([await remote(), isKept()]).toEqual([corrected, true]);

  await commit(work, { CODEOWNERS: '* @me\n' });
  expect(await push()).toContain('"CODEOWNERS" is of a kind that the policy denies: ownership');
  expect(await remote()).toBe(corrected);
});

it('lets be what the policy allows, and tells who pushes what somebody should look at', async () => {
  await scene.host.setProjects({
    'team/app': {
      url: scene.upstream.url,
      credentials: scene.forge.credentials,
      policy: { paths: { classes: { ci: 'report' } } },
    },
  });
  const produced = await commit(work, { '.github/workflows/ci.yml': 'on: push\n' });
  // What succeeds says it on stderr, too.
  const said = await clientGit(work, '-c', 'alias.x=!git push -q origin HEAD:refs/attempts/task-1/1 2>&1', 'x');
  expect(said).toContain('remote: .github/workflows/ci.yml: ci');
  expect(await remote()).toBe(produced);
});

it('judges against the base of the Workflow, wherever the branch of the forge is by now', async () => {
  await commit(scene.upstream.work, { '.github/workflows/ci.yml': 'on: push\n' });
  await clientGit(scene.upstream.work, 'push', '-q', 'origin', 'main');
  const produced = await commit(work, { 'a.txt': '1' });
  await scene.push(work);
  expect(await remote()).toBe(produced);
});
