import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { reach } from './reach.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanUp.splice(0)) await end();
});

async function listening(): Promise<{ port: number; close: () => Promise<unknown> }> {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, close: () => new Promise((resolve) => server.close(resolve)) };
}

/** A port whose queue of connections is full, so that the kernel drops whatever comes. */
async function swallowing(): Promise<number> {
  const script = `const server = require('node:net').createServer();
    server.listen(0, '127.0.0.1', 1, () => {
      require('node:fs').writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanUp.push(() => child.kill('SIGKILL'));
  const [output] = await once(child.stdout, 'data');
  const port = Number(String(output));
  for (let filler = 0; filler < 4; filler++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    cleanUp.push(() => socket.destroy());
  }
  return port;
}

it('a server that listens answers', async () => {
  const { port, close } = await listening();
  cleanUp.push(close);
  expect(await reach(`http://127.0.0.1:${port}/git/a.git`, 5_000)).toBe('answered');
});

it('one that does not listen refuses', async () => {
  const { port, close } = await listening();
  await close();
  expect(await reach(`http://127.0.0.1:${port}`, 5_000)).toBe('refused');
});

it('what swallows the first packet is silent', async () => {
  const url = `http://127.0.0.1:${await swallowing()}`;
  await expect.poll(() => reach(url, 300)).toBe('silent');
});
