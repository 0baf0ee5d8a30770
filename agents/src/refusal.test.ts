import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GrantMessage } from '@millwright/crds';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkoutBase } from './checkout.ts';
import { pushCommit } from './commit.ts';
import { createGit, type Git } from './git.ts';
import { withReason } from './refusal.ts';
import type { Shell } from './shell.ts';

const IDENTITY = ['-c', 'user.name=A', '-c', 'user.email=a@example.org', '-c', 'init.defaultBranch=main'];
const signal = new AbortController().signal;

let folder: string;
let server: Server;
let asked: string[];
let answer: { status: number; body: string; type?: string };

const packet = (text: string) => (text.length + 4).toString(16).padStart(4, '0') + text;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refusal-'));
  asked = [];
  server = createServer((request, response) => {
    request.resume();
    asked.push(request.method ?? '');
    // A push is refused when its pack comes, a fetch at once.
    const advertises = request.url?.endsWith('service=git-receive-pack') ?? false;
    if (advertises) {
      response.writeHead(200, { 'content-type': 'application/x-git-receive-pack-advertisement' });
      const refs = `${'0'.repeat(40)} capabilities^{}\0report-status side-band-64k\n`;
      response.end(`${packet('# service=git-receive-pack\n')}0000${packet(refs)}0000`);
    } else if (answer.type) response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
    else response.writeHead(answer.status, { 'content-type': 'text/plain' }).end(`${answer.body}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs commands on this machine, in a language that is not English. */
const shell: Shell = {
  async run({ run, env = {} }) {
    const [program = '', ...args] = 'argv' in run ? run.argv : [];
    const child = spawn(program, args, {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', LANG: 'de_DE.UTF-8', ...env },
    });
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => void said.push(chunk));
    const [code] = await once(child, 'close');
    return { exitCode: Number(code), tail: Buffer.concat(said).toString(), stdout: '', problem: undefined };
  },
};

const git = (...args: string[]) =>
  execFileSync('git', [...IDENTITY, ...args], { cwd: folder })
    .toString()
    .trim();
const urlOf = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/team/app.git`;
const grantOf = (url: string) =>
  ({
    url,
    baseRef: 'refs/workflows/w/base',
    pushRef: 'refs/attempts/t/1',
    dependencies: [],
  }) as unknown as GrantMessage['git'];
const gitFor = (url: string): Git =>
  createGit(shell, { url, token: 't', author: { name: 'A', email: 'a@example.org' }, traceparent: () => '' });

async function aCommit(): Promise<string> {
  git('init', '-q');
  await writeFile(join(folder, 'file'), 'content');
  git('add', '.');
  git('commit', '-q', '-m', 'one');
  return git('rev-parse', 'HEAD');
}

it('ends the task when there is no such repository, after one question, with the words of the git host and no others', async () => {
  const words = 'spec.repository.url of Project app: no such repository: https://forge/app.git; correct it';
  answer = { status: 422, body: words };
  await expect(checkoutBase(gitFor(urlOf()), grantOf(urlOf()), signal)).rejects.toMatchObject({
    failure: {
      class: 'governance',
      reason: 'CheckoutFailed',
      message: words,
    },
  });
  expect(asked).toEqual(['GET']);
});

it('blames the task for a push that is too large, and does not send it again', async () => {
  answer = { status: 413, body: 'At most 5 bytes are accepted.' };
  const commit = await aCommit();
  await expect(pushCommit(gitFor(urlOf()), grantOf(urlOf()), commit, signal)).rejects.toMatchObject({
    failure: { class: 'agent', reason: 'InvalidOutput', message: expect.stringMatching(/larger than .* may push/) },
  });
  expect(asked).toEqual(['GET', 'POST']);
});

it('ends the task when the policy of the Project refuses what it changes, with what to change', async () => {
  const commit = await aCommit();
  const report = `${packet('unpack ok\n')}${packet('ng refs/attempts/t/1 fenced\n')}0000`;
  const remarks = ['the policy of Project app refuses these changes\n', '"CODEOWNERS" is of a kind: leave it\n'];
  const body = [...remarks.map((line) => packet(`\u0002${line}`)), packet(`\u0001${report}`), '0000'].join('');
  answer = { status: 200, body, type: 'application/x-git-receive-pack-result' };
  await expect(pushCommit(gitFor(urlOf()), grantOf(urlOf()), commit, signal)).rejects.toMatchObject({
    failure: {
      class: 'governance',
      reason: 'Fenced',
      message: 'the policy of Project app refuses these changes; "CODEOWNERS" is of a kind: leave it',
    },
  });
  expect(asked).toEqual(['GET', 'POST']);
});

it('passes on what the git host says of a push that it takes', async () => {
  const commit = await aCommit();
  const report = `${packet('unpack ok\n')}${packet('ok refs/attempts/t/1\n')}0000`;
  const body = [packet('\u0002go.mod: manifest\n'), packet(`\u0001${report}`), '0000'].join('');
  answer = { status: 200, body, type: 'application/x-git-receive-pack-result' };
  expect(await pushCommit(gitFor(urlOf()), grantOf(urlOf()), commit, signal)).toEqual(['go.mod: manifest']);
});

it('blames the task for objects that git does not accept', async () => {
  const commit = await aCommit();
  const bare = join(folder, 'bare.git');
  git('init', '-q', '--bare', bare);
  git('-C', bare, 'config', 'receive.fsckObjects', 'true');
  const blob = git('rev-parse', `${commit}:file`);
  const tree = Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob, 'hex')]);
  const id = execFileSync('git', ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
    cwd: folder,
    input: tree,
  });
  const bad = git('commit-tree', id.toString().trim(), '-m', 'bad');
  // A git without the gateway before it: the answer to a push is the same however it travels.
  const local: Git = { run: (args) => shell.run({ run: { argv: ['git', ...args] }, env: { LC_ALL: 'C' } }) };
  await expect(pushCommit(local, grantOf(bare), bad, signal)).rejects.toMatchObject({
    failure: { class: 'agent', reason: 'InvalidOutput', message: expect.stringContaining('hasDotgit') },
  });
});

it('holds nothing against the task when the git host is ill', async () => {
  answer = { status: 503, body: 'later' };
  const aborted = new AbortController();
  const asking = checkoutBase(gitFor(urlOf()), grantOf(urlOf()), aborted.signal);
  await expect.poll(() => asked.length).toBe(1);
  // It would be asked again.
  aborted.abort(new Error('enough'));
  await expect(asking).rejects.toThrow('enough');
});

const finished = (tail: string) => ({ exitCode: 128, tail, stdout: '', problem: undefined });
it.each([
  [
    'what the git host says',
    "remote: not now\nremote: \nfatal: unable to access 'http://gateway/': The requested URL returned error: 503\n",
    'it fails: not now',
  ],
  [
    'what git says where the host said nothing',
    'warning: odd\nfatal: could not connect\n',
    'it fails: warning: odd; fatal: could not connect',
  ],
])('passes on %s, in one line', (_, tail, message) => {
  expect(withReason('it fails', finished(tail))).toBe(message);
});
