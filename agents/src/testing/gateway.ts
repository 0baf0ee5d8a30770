/** What a sandbox sees of the gateway: git over smart HTTP and uploads by digest, both for one token only. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface TestGateway {
  url: string;
  /** Stored contents by digest. */
  artifacts: Map<string, Buffer>;
  /** Trace contexts of the requests that were let in, by what was asked for. */
  traceparents: { path: string; traceparent: unknown }[];
  /** While true, every request fails with 503. */
  away: boolean;
  close(): void;
}

/** @param folder holds bare repositories, served at `<url>/git/<name>` */
export async function startGateway(folder: string, token: string): Promise<TestGateway> {
  const artifacts = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    if (gateway.away) return response.writeHead(503).end();
    if (request.headers.authorization !== `Bearer ${token}`) return response.writeHead(401).end();
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://gateway');
    gateway.traceparents.push({ path: pathname, traceparent: request.headers.traceparent });
    if (pathname.startsWith('/git/')) return cgi(folder, pathname.slice(4), searchParams.toString(), request, response);
    const digest = pathname.replace('/artifacts/', '');
    const content = await buffer(request);
    const actual = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    if (digest !== actual) return response.writeHead(422).end();
    artifacts.set(digest, content);
    return response.writeHead(201).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gateway: TestGateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    artifacts,
    traceparents: [],
    away: false,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return gateway;
}

/** Runs git's own server program (gitprotocol-http, git-http-backend). */
function cgi(root: string, path: string, query: string, request: IncomingMessage, response: ServerResponse): void {
  const child = spawn('git', ['-c', 'http.receivepack=true', '-c', 'safe.directory=*', 'http-backend'], {
    env: {
      PATH: process.env.PATH ?? '',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      HTTP_GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'attempt',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  request.pipe(child.stdin).on('error', () => undefined);
  void buffer(child.stdout).then((output) => {
    const end = output.indexOf('\r\n\r\n');
    const headers = output.subarray(0, end).toString().split('\r\n');
    for (const line of headers) {
      const [name = '', value = ''] = line.split(/:\s*/, 2);
      if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.end(output.subarray(end + 4));
  });
}
