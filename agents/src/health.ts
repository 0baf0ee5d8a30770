import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Health {
  port: number;
  close(): void;
}

export interface HealthOptions {
  /** A port, or a socket that somebody has opened for this process. */
  listen: { port: number } | { fd: number };
  /** Resolves when the process can do its work. */
  ready: Promise<void>;
  /** How long an answer is held for that, in milliseconds. Default: 20 s; the kubelet waits longer. */
  holdMs?: number;
}

const HOLD_MS = 20_000;

/**
 * Answers `/healthz` (the process is alive) and `/readyz`: 200 the moment it is ready, 503 when that takes too long. A refusal at once would
 * be an Event of each pod that starts, and the next probe comes seconds later.
 */
export function startHealth({ listen, ready, holdMs = HOLD_MS }: HealthOptions): Promise<Health> {
  const server = createServer((request, response) => {
    const answer = (status: number) =>
      response.writeHead(status, { 'content-type': 'text/plain' }).end(status === 200 ? 'ok\n' : 'no\n');
    if (request.url !== '/readyz') {
      answer(request.url === '/healthz' ? 200 : 404);
      return;
    }
    const timer = setTimeout(() => answer(503), holdMs);
    response.once('close', () => clearTimeout(timer));
    void ready.then(() => {
      if (!response.writableEnded) answer(200);
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen, () => {
      server.unref();
      const address = server.address() as AddressInfo;
      resolve({ port: address.port, close: () => server.close() });
    });
  });
}
