import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

// Each starts a process.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const cli = (...args: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, 'cli.ts'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, MILLWRIGHT_LOCAL_DIR: folder },
  });

it('says what it can do', () => {
  const { status, stdout } = cli('--help');
  expect(status).toBe(0);
  for (const command of ['up', 'down', 'status', 'logs', 'reset', 'env', 'dead-letters'])
    expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
});

it('leaves the arguments of dead-letters to it', () => {
  expect(cli('dead-letters', '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('redrive --all') });
  expect(cli('dead-letters', 'redrive')).toMatchObject({ status: 2 });
});

it('says that there is no platform yet', () => {
  const { status, stderr } = cli('dead-letters', 'list');
  expect(status).toBe(1);
  expect(stderr).toContain('npm run local -- up');
});

it('shows the state of every part, and makes nothing by looking', () => {
  const { status, stdout } = cli('status');
  expect(status).toBe(1);
  expect(stdout).toMatch(/^PART +STATE +ADDRESS$/m);
  expect(stdout).toMatch(/^kube-apiserver +down +not running$/m);
  expect(existsSync(join(folder, 'secrets'))).toBe(false);
});

it('names the logs there are when it is asked for none or for an unknown one', () => {
  expect(cli('logs').stderr).toContain('There are none: nothing has been started yet.');
  mkdirSync(join(folder, 'logs'), { recursive: true });
  for (const file of ['etcd.log', 'etcd.log.1', 'kubelet.log']) writeFileSync(join(folder, 'logs', file), `${file}\n`);
  const { status, stderr } = cli('logs', 'operator');
  expect(status).toBe(2);
  expect(stderr).toContain('There is no log of operator. There are: etcd, kubelet. ');
  expect(cli('logs', 'etcd')).toMatchObject({ status: 0, stdout: 'etcd.log\n' });
});
