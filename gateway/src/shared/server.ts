import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';

export interface RunningServer {
  /** Loopback URL of the port that was bound. */
  readonly url: string;
  readonly port: number;
  /** Takes no new requests, waits for those under way, ends what is left after `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/** Serves an application. Resolves when the port is bound; rejects when it cannot be. `port` 0: any. */
export async function listen(
  app: Pick<Hono, 'fetch'>,
  options: { port: number; hostname?: string | undefined },
): Promise<RunningServer> {
  const server = await new Promise<ReturnType<typeof serve>>((resolve, reject) => {
    const starting = serve(
      {
        fetch: app.fetch,
        port: options.port,
        ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
        // The web-standard globals stay Node's own.
        overrideGlobalObjects: false,
        // A sandbox that sends its headers a byte at a time must not hold a connection.
        serverOptions: { headersTimeout: 20_000, requestTimeout: 15 * 60_000, keepAliveTimeout: 75_000 },
      },
      () => resolve(starting),
    );
    starting.once('error', reject);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: async (graceMs = 10_000) => {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      if ('closeIdleConnections' in server) server.closeIdleConnections();
      const timer = setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
