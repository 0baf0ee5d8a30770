import { Readable } from 'node:stream';
import type { Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ProjectKey } from '../shared/project-key.ts';
import { AccessError, type Caller, requireArtifactReader } from './access.ts';
import { projectOfPath } from './app.ts';
import type { ArtifactStore } from './artifacts.ts';
import { requestBody, TooLargeError } from './http-git.ts';

type AttemptClaims = Extract<Caller, { type: 'attempt' }>['claims'];

export interface ArtifactRoutesOptions {
  store: ArtifactStore;
  authenticate: (authorization: string | undefined) => Promise<Caller>;
  /** Counts what an attempt uploads; false when it was too much. */
  allow: (claims: AttemptClaims, bytes: number) => boolean;
  maxBytes: number;
  /** `MILLWRIGHT_ARTIFACT_KEY` */
  readerKey: string | undefined;
  onStored: (bytes: number) => void;
}

function digestOf(c: Context): string {
  const digest = c.req.param('digest') ?? '';
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new HTTPException(400, { message: 'Name the content by its digest: sha256:<64 hex digits>.' });
  return digest;
}

/**
 * `PUT`, `GET` and `HEAD /artifacts/sha256:<hex>`: contents of the project of an attempt's token.
 * `GET /<namespace>/<project>.git/artifacts/sha256:<hex>`: the same for the API, which has asked the database who may.
 */
export function addArtifactRoutes(app: Hono, options: ArtifactRoutesOptions): void {
  const { store } = options;

  const enter = async (c: Context) => {
    const caller = await options.authenticate(c.req.header('authorization'));
    if (caller.type !== 'attempt')
      throw new AccessError(403, 'Artifacts belong to a project: use the token of an attempt.');
    const { claims } = caller;
    const key: ProjectKey = { namespace: claims.ns, project: claims.project };
    return { claims, digest: digestOf(c), key };
  };

  app.put('/artifacts/:digest', async (c) => {
    const { claims, digest, key } = await enter(c);
    // Said before the body is read, where the client says how long it is.
    if (Number(c.req.header('content-length') ?? 0) > options.maxBytes) throw new TooLargeError(options.maxBytes);
    const body = requestBody(c.req.raw, options.maxBytes);
    const created = await store.put(key, digest, metered(body, claims));
    if (created) options.onStored((await store.size(key, digest)) ?? 0);
    c.header('location', `/artifacts/${digest}`);
    return c.body(null, created ? 201 : 200);
  });

  const send = async (c: Context, key: ProjectKey, digest: string): Promise<Response> => {
    const size = await store.size(key, digest);
    if (size === undefined) throw new HTTPException(404, { message: 'The project has no such artifact.' });
    const head = {
      'content-type': 'application/octet-stream',
      'content-length': String(size),
      'cache-control': 'private, immutable, max-age=31536000',
      // Written by agents: a browser must not run it.
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      etag: `"${digest}"`,
    };
    if (c.req.method === 'HEAD') return c.body(null, 200, head);
    return c.body(Readable.toWeb(store.read(key, digest)) as ReadableStream, 200, head);
  };

  app.get('/artifacts/:digest', async (c) => {
    const { digest, key } = await enter(c);
    return send(c, key, digest);
  });
  app.get('/:namespace/:repository/artifacts/:digest', (c) => {
    requireArtifactReader(c.req.header('authorization'), options.readerKey);
    return send(c, projectOfPath(c), digestOf(c));
  });

  async function* metered(chunks: AsyncIterable<Buffer>, claims: AttemptClaims): AsyncGenerator<Buffer> {
    let total = 0;
    for await (const chunk of chunks) {
      total += chunk.length;
      if (!options.allow(claims, chunk.length))
        throw new HTTPException(413, { message: `After ${total} bytes the attempt has uploaded all it may.` });
      yield chunk;
    }
  }
}
