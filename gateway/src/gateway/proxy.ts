import { Readable } from 'node:stream';
import type { Logger } from '@millwright/otel';
import type { Context, Env, Hono } from 'hono';
import { Agent, type Dispatcher } from 'undici';
import { bearerOf, scopeOf } from '../shared/bearer.ts';
import { gitReplica } from '../shared/git-replicas.ts';

/** Hop-by-hop headers (RFC 9110, 7.6.1) end here; the host is that of the next hop. */
const notPassedOn = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'expect',
]);

/** A push is answered when git has taken all of it. */
const ANSWER_TIMEOUT_MS = 11 * 60_000;

export interface ProxyOptions {
  gitUrls: readonly string[];
  log: Logger;
}

function headersOf(c: Context): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of c.req.raw.headers) if (!notPassedOn.has(name)) headers[name] = value;
  const traceparent = c.get('traceparent');
  return traceparent === undefined ? headers : { ...headers, traceparent };
}

function answerHeaders(given: Dispatcher.ResponseData['headers']): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || notPassedOn.has(name)) continue;
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one);
  }
  return headers;
}

/**
 * Passes `/git/*` and `/artifacts/*` on to the git host of the project, streaming both ways, so that a sandbox needs one address. The git
 * host checks the token; here it only says, unchecked, which replica to ask. Returns what closes the connections.
 */
export function addGitProxy<E extends Env>(app: Hono<E>, options: ProxyOptions): () => Promise<void> {
  const agent = new Agent({ headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS, connections: 256 });

  const forward = async (c: Context, replica: string, path: string): Promise<Response> => {
    const { raw } = c.req;
    const { search } = new URL(raw.url);
    try {
      const answer = await agent.request({
        origin: replica,
        path: path + search,
        method: raw.method as Dispatcher.HttpMethod,
        headers: headersOf(c),
        body: raw.body ? Readable.fromWeb(raw.body as import('node:stream/web').ReadableStream) : null,
        signal: raw.signal,
      });
      const body = raw.method === 'HEAD' ? null : (Readable.toWeb(answer.body) as ReadableStream);
      if (body === null) await answer.body.dump();
      return new Response(body, { status: answer.statusCode, headers: answerHeaders(answer.headers) });
    } catch (error) {
      options.log.warn('the git host did not answer', { path, replica, error });
      return c.text('The git host cannot be reached; try again in a few seconds.\n', 503, { 'retry-after': '5' });
    }
  };

  app.all('/git/:namespace/:repository/*', (c) => {
    const { namespace, repository } = c.req.param();
    const replica = gitReplica(options.gitUrls, namespace, repository.replace(/\.git$/, ''));
    return forward(c, replica, new URL(c.req.raw.url).pathname.slice('/git'.length));
  });
  app.all('/artifacts/:digest', (c) => {
    const scope = scopeOf(bearerOf(c.req.header('authorization')));
    // Without a readable token any replica will do: it refuses.
    const replica = scope ? gitReplica(options.gitUrls, scope.ns, scope.project) : options.gitUrls[0];
    return forward(c, replica ?? '', new URL(c.req.raw.url).pathname);
  });
  return () => agent.close();
}
