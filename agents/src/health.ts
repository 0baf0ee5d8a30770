import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Health {
  port: number;
  close(): void;
}

/** Answers `/healthz` (the process is alive) and `/readyz` (503 until `ready()`). */
export function startHealth(port: number, ready: () => boolean): Promise<Health> {
  const server = createServer((request, response) => {
    const status = request.url === '/healthz' ? 200 : request.url === '/readyz' ? (ready() ? 200 : 503) : 404;
    response.writeHead(status, { 'content-type': 'text/plain' }).end(status === 200 ? 'ok\n' : 'no\n');
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.unref();
      const address = server.address() as AddressInfo;
      resolve({ port: address.port, close: () => server.close() });
    });
  });
}
