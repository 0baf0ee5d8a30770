import type { Logger } from '@millwright/otel';
import { type Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ProjectKey, projectKey } from '../shared/project-key.ts';
import { AccessError, type Caller } from './access.ts';
import { ArtifactError } from './artifacts.ts';
import { EncodingError, TooLargeError } from './http-git.ts';
import { MirrorError } from './mirrors.ts';
import { PushFormatError } from './push-commands.ts';

/** Who asks for what. Throws AccessError unless a caller may read the project. */
export function requireProject(caller: Caller, key: ProjectKey): void {
  if (caller.type === 'service') return;
  const { ns, project } = caller.claims;
  if (ns !== key.namespace || project !== key.project)
    throw new AccessError(403, `This token is for project ${ns}/${project}, not for ${key.namespace}/${key.project}.`);
}

/** The project that a path names. Throws a 404. */
export function projectOfPath(c: Context): ProjectKey {
  const key = projectKey(c.req.param('namespace') ?? '', c.req.param('repository') ?? '');
  if (!key) throw new HTTPException(404, { message: 'Repositories are at /<namespace>/<project>.git.' });
  return key;
}

/** git shows the body of an error to its user when it is plain text. */
function answer(c: Context, status: ContentfulStatusCode, message: string): Response {
  if (status === 401) c.header('www-authenticate', 'Basic realm="millwright", charset="UTF-8"');
  if (status === 503) c.header('retry-after', '5');
  // What is left of the body is not read: the connection is of no more use.
  if (status === 413) c.header('connection', 'close');
  return c.text(`${message}\n`, status);
}

const refusals = [AccessError, ArtifactError, MirrorError] as const;

function describe(error: unknown): { status: ContentfulStatusCode; message: string } | undefined {
  for (const kind of refusals) if (error instanceof kind) return { status: error.status, message: error.message };
  if (error instanceof PushFormatError) return { status: 400, message: `Not a push: ${error.message}.` };
  if (error instanceof EncodingError) return { status: 400, message: `Not readable: ${error.message}.` };
  if (error instanceof TooLargeError) return { status: 413, message: `At most ${error.limit} bytes are accepted.` };
  if (error instanceof HTTPException) return { status: error.status as ContentfulStatusCode, message: error.message };
  return undefined;
}

/** An application whose errors are short sentences in plain text; whatever is unexpected is logged and kept from the caller. */
export function createApp(log: Logger): Hono {
  const app = new Hono();
  app.notFound((c) => answer(c, 404, 'There is nothing here.'));
  app.onError((error, c) => {
    const known = describe(error);
    const fields = { method: c.req.method, path: c.req.path };
    if (known) {
      log.info('refused', { ...fields, status: known.status, reason: known.message });
      return answer(c, known.status, known.message);
    }
    log.error('request failed', { ...fields, error });
    return answer(c, 500, 'The git host could not do this; its log says why.');
  });
  return app;
}
