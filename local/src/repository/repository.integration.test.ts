import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createContext } from '../context.ts';
import { run } from '../process/run.ts';
import type { Context } from '../service.ts';
import { gitDaemon } from '../services/git-daemon.ts';
import { startServices, stopServices } from '../supervisor.ts';
import { type PreparedRepository, prepareRepository } from './repository.ts';

let home: string;
let ctx: Context;
let repository: PreparedRepository;
const forge = [{ ...gitDaemon, dependsOn: [] }];
const git = (...args: string[]) => run('git', args, { cwd: home, env: { HOME: home } });

/** A forge of its own on loopback, so that what the test pushes stays out of the platform's. */
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'millwright-repository-'));
  const defaults = createContext({ ...process.env, MILLWRIGHT_LOCAL_DIR: join(home, 'state') });
  const addresses = { ...defaults.addresses, gateway: '127.0.0.1' } as unknown as Context['addresses'];
  const ports = { ...defaults.ports, git: 19_418 } as unknown as Context['ports'];
  ctx = { ...defaults, addresses, ports };
  repository = await prepareRepository(ctx);
  await startServices(ctx, forge, async () => {});
});
afterAll(async () => {
  await stopServices(ctx, forge);
  rmSync(home, { recursive: true, force: true });
});

test('serves the published source with its tests, as a commit with the same name everywhere', async () => {
  await git('clone', '--quiet', repository.url, 'clone');
  const files = (await git('-C', 'clone', 'ls-files')).split('\n');
  expect(files).toEqual(expect.arrayContaining(['go.mod', 'LICENSE', 'uuid.go', 'uuid_test.go']));
  expect((await git('-C', 'clone', 'log', '--format=%H %an %aI %D')).trim()).toMatch(
    new RegExp(`^${repository.commit} Millwright 2024-01-23T00:00:00(Z|\\+00:00) .*origin/main`),
  );
  expect(repository.commit).toBe('a2dbd144e97b30bd76f30becc341adceb729c7e6');
});

test('takes pushes, and preparing again leaves them alone', async () => {
  await git('clone', '--quiet', repository.url, 'work');
  const identity = ['-c', 'user.name=Someone', '-c', 'user.email=someone@example.com'];
  await git('-C', 'work', ...identity, 'commit', '--quiet', '--allow-empty', '-m', 'Change nothing');
  await git('-C', 'work', 'push', '--quiet', 'origin', 'HEAD:main', 'HEAD:ai/generated/one/two');
  expect(await prepareRepository(ctx)).toEqual(repository);
  const refs = await git('ls-remote', repository.url);
  const pushed = (await git('-C', 'work', 'rev-parse', 'HEAD')).trim();
  expect(refs).toContain(`${pushed}\trefs/heads/main`);
  expect(refs).toContain(`${pushed}\trefs/heads/ai/generated/one/two`);
});
