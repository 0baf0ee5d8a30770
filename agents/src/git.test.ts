import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createGit } from './git.ts';
import type { Shell } from './shell.ts';

let received: IncomingHttpHeaders[] = [];
const server = createServer((request, response) => {
  received.push(request.headers);
  response.writeHead(404).end();
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => server.close());

/** Runs commands on this machine. */
const shell: Shell = {
  async run({ run, env = {} }) {
    const [program = '', ...args] = 'argv' in run ? run.argv : [];
    const child = spawn(program, args, { env: { PATH: process.env.PATH ?? '', ...env }, stdio: 'ignore' });
    const [code] = await once(child, 'exit');
    return { exitCode: Number(code), tail: '', stdout: '', problem: undefined };
  },
};

it('sends its token and the trace context of the moment, and keeps both out of arguments', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`;
  let now = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const author = { name: 'A', email: 'a@example.org' };
  const git = createGit(shell, { url, token: 'tok', author, traceparent: () => now });
  await git.run(['ls-remote', url], { network: true });
  expect(received[0]).toMatchObject({ authorization: 'Bearer tok', traceparent: now });
  now = now.replace('b7', 'c8');
  received = [];
  await git.run(['ls-remote', url], { network: true });
  expect(received[0]?.traceparent).toBe(now);
  received = [];
  await git.run(['ls-remote', url]);
  expect(received[0]?.traceparent).toBeUndefined();
});
