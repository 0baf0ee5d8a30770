import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { restProxy } from './rest-proxy.ts';

let upstream: Server;
let proxy: Server;
let url: string;

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeEach(async () => {
  upstream = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      if (request.url === '/half') {
        response.writeHead(200, { 'content-length': '10' });
        response.write('half', () => response.destroy());
        return;
      }
      response.writeHead(201, { 'x-prefer': request.headers.prefer ?? '' });
      response.end(`${request.method} ${request.url} ${body}`);
    });
  });
  proxy = restProxy(await listen(upstream));
  url = await listen(proxy);
});
afterEach(() => {
  for (const server of [proxy, upstream]) {
    server.close();
    server.closeAllConnections();
  }
});

describe('restProxy', () => {
  const cases: [path: string, seen: string][] = [
    ['/rest/v1/tasks?select=uid&uid=eq.1', 'POST /tasks?select=uid&uid=eq.1 {}'],
    ['/rest/v1/rpc/record_batch', 'POST /rpc/record_batch {}'],
    ['/rest/v1/', 'POST / {}'],
    ['/rest/v1', 'POST / {}'],
    ['/rest/v1?limit=1', 'POST /?limit=1 {}'],
  ];
  it.each(cases)('passes %s on without the prefix', async (path, seen) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      body: '{}',
      headers: { prefer: 'return=minimal' },
    });
    expect(await response.text()).toBe(seen);
    expect(response.status).toBe(201);
    expect(response.headers.get('x-prefer')).toBe('return=minimal');
  });

  it.each(['/', '/tasks', '/rest/v10/tasks', '/auth/v1/user'])('serves nothing at %s', async (path) => {
    expect((await fetch(`${url}${path}`)).status).toBe(404);
  });

  it('does not pass half an answer off as a whole one', async () => {
    const response = await fetch(`${url}/rest/v1/half`);
    await expect(response.text()).rejects.toThrow();
  });

  it('answers 503 while PostgREST is away', async () => {
    upstream.close();
    upstream.closeAllConnections();
    expect((await fetch(`${url}/rest/v1/tasks`)).status).toBe(503);
  });
});
