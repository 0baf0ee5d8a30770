import { Agent, createServer, request, type Server } from 'node:http';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

const prefix = '/rest/v1';

/**
 * Strips the prefix under which Supabase offers PostgREST, and streams both ways.
 *
 * @param upstream base URL of PostgREST
 * @returns a server that does not listen yet
 */
export function restProxy(upstream: string): Server {
  const { hostname, port } = new URL(upstream);
  const agent = new Agent({ keepAlive: true });
  const server = createServer({ noDelay: true }, (incoming, outgoing) => {
    const url = incoming.url ?? '/';
    if (url !== prefix && !url.startsWith(`${prefix}/`) && !url.startsWith(`${prefix}?`)) {
      outgoing.writeHead(404, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify({ message: `only ${prefix} is served here` }));
      return;
    }
    const rest = url.slice(prefix.length);
    const path = rest.startsWith('/') ? rest : `/${rest}`;
    const forward = request(
      { hostname, port, path, method: incoming.method, headers: incoming.headers, agent },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
        // Half an answer must not look like a whole one.
        answer.once('error', () => outgoing.destroy());
      },
    );
    forward.once('error', () => {
      if (outgoing.headersSent) return void outgoing.destroy();
      outgoing.writeHead(503, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify({ message: 'PostgREST cannot be reached' }));
    });
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) forward.destroy();
    });
    incoming.pipe(forward);
  });
  server.once('close', () => agent.destroy());
  return server;
}

const settings = z.object({
  REST_PROXY_UPSTREAM: z.url(),
  REST_PROXY_LISTEN: z.string().transform((text) =>
    text.split(',').map((pair) => {
      const at = pair.lastIndexOf(':');
      return { host: pair.slice(0, at), port: Number(pair.slice(at + 1)) };
    }),
  ),
});

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { REST_PROXY_UPSTREAM, REST_PROXY_LISTEN } = settings.parse(process.env);
  const servers = REST_PROXY_LISTEN.map((address) => restProxy(REST_PROXY_UPSTREAM).listen(address));
  process.once('SIGTERM', () => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });
}
