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
  for (const command of ['up', 'down', 'status', 'logs', 'output', 'reset', 'env', 'dead-letters'])
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

it('exports what kubectl and helm need, and prints the rest as JSON only', () => {
  expect(cli('env')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^The local platform has not been .*\.\n$/),
  });
  const url = 'http://user:password@host:1';
  const names = ['amqpUrl', 'rabbitManagementUrl', 'postgresUrl', 'postgrestUrl', 'jwtSecret', 'supabaseAnonKey'];
  const rest = Object.fromEntries([...names, 'supabaseServiceKey', 'jaegerUrl', 'otlpUrl'].map((name) => [name, url]));
  const environment = {
    kubeconfig: "/it's/kubeconfig",
    kubeContext: 'context',
    toolPath: ['/one', '/two'],
    containerdSocket: '/socket',
    bridge: { gateway: 'g', podCidr: 'p', serviceCidr: 's' },
    ...rest,
  };
  writeFileSync(join(folder, 'env.json'), JSON.stringify(environment));
  const { stdout } = cli('env');
  expect(stdout).toBe(`export KUBECONFIG='/it'\\''s/kubeconfig'\nexport PATH="/one:/two:$PATH"\n`);
  const shell = spawnSync('sh', ['-c', `${stdout}printf %s "$KUBECONFIG"`], { encoding: 'utf8' });
  expect(shell.stdout).toBe(environment.kubeconfig);
  expect(JSON.parse(cli('env', '--json').stdout)).toEqual(environment);
});
