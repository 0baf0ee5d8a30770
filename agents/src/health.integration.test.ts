import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildExecServer } from './testing/exec-server.ts';

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

it('answers who connects before the agent has begun, and nobody is refused', async () => {
  const port = await freePort();
  const agent = [
    `const { startHealth } = await import(${JSON.stringify(join(import.meta.dirname, 'health.ts'))});`,
    'await startHealth({ listen: { fd: Number(process.env.MILLWRIGHT_HTTP_FD) }, ready: Promise.resolve() });',
    'setInterval(() => {}, 1000);',
  ].join('\n');
  // Node begins only when somebody is connected.
  const waits = ['sh', '-c', 'read -r _; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', agent];
  const child = spawn(buildExecServer(), ['listen', ...waits], {
    env: { ...process.env, MILLWRIGHT_HTTP_PORT: String(port) },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  try {
    await expect.poll(() => canConnect(port)).toBe(true);
    const asked = fetch(`http://127.0.0.1:${port}/readyz`);
    child.stdin?.write('\n');
    expect((await asked).status).toBe(200);
  } finally {
    child.kill('SIGKILL');
  }
});

async function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
