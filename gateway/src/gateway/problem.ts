import { z } from '@hono/zod-openapi';
import { InvalidCursorError, StoreError } from '@millwright/supabase';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { KubeError } from '../shared/kube.ts';

/** A field of the request and what is wrong with it. */
export interface FieldError {
  field: string;
  message: string;
}

/** The request cannot be answered as asked. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: ContentfulStatusCode;
  /** What the caller can do about it. */
  readonly remedy: string | undefined;
  readonly errors: FieldError[];
  /** For 503: when to ask again. */
  readonly retryAfterSeconds: number;
  constructor(
    status: ContentfulStatusCode,
    detail: string,
    more: { remedy?: string; errors?: FieldError[]; retryAfterSeconds?: number | undefined; cause?: unknown } = {},
  ) {
    super(detail, more.cause === undefined ? {} : { cause: more.cause });
    this.status = status;
    this.remedy = more.remedy;
    this.retryAfterSeconds = more.retryAfterSeconds ?? 5;
    this.errors = more.errors ?? [];
  }
}

/** Problem details for HTTP APIs (RFC 9457), with two members of our own: `remedy` and `errors`. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'Always about:blank: the status says what kind of problem it is.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().meta({ description: 'Id of the request, as in the log and in the X-Request-Id header.' }),
    remedy: z.string().optional().meta({ description: 'What to do about it.' }),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem');

const titles: Record<number, string> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too large',
  422: 'Not acceptable as it is',
  429: 'Too many requests',
  500: 'Internal error',
  501: 'Not set up',
  502: 'No clear answer',
  503: 'Temporarily unavailable',
  504: 'Took too long',
};

/** What a failed call to the Kubernetes API means to the caller. */
function fromKube(error: KubeError): Problem {
  const errors = error.causes.map(({ field, message }) => ({ field: field ?? '', message: message ?? '' }));
  const cause = { cause: error };
  if (error.status === 404) return new Problem(404, error.message, cause);
  if (error.status === 409)
    return new Problem(409, error.message, {
      remedy:
        error.reason === 'AlreadyExists'
          ? 'Choose another name, or leave it out to have one made.'
          : 'Read it again and retry.',
      ...cause,
    });
  if (error.status === 422 || error.status === 400) return new Problem(422, error.message, { errors, ...cause });
  // The gateway has the right (`cluster.ts` has asked): a quota or a policy of the cluster refuses.
  if (error.status === 403)
    return new Problem(403, error.message, { remedy: 'Ask whoever runs the cluster what it takes.', ...cause });
  if (error.status === 413)
    return new Problem(413, error.message, {
      remedy: 'Split the Workflow, or move long commands into the repository.',
      ...cause,
    });
  if (error.uncertain)
    return new Problem(502, `It may have been done or not: ${error.message}.`, {
      remedy: 'Look whether it is there before you send it again.',
      ...cause,
    });
  return new Problem(503, error.message, {
    remedy: 'Nothing was changed. Try again in a few seconds.',
    retryAfterSeconds: error.retryAfterSeconds,
    ...cause,
  });
}

/** Turns whatever was thrown into a problem; undefined for what nobody foresaw. */
export function asProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof KubeError) return fromKube(error);
  if (error instanceof InvalidCursorError)
    return new Problem(400, error.message, { errors: [{ field: 'cursor', message: 'is not one of ours' }] });
  if (error instanceof StoreError)
    return new Problem(503, 'The history database cannot be asked.', {
      remedy: 'Workflows go on without it. Try again in a few seconds; kubectl shows the cluster meanwhile.',
      cause: error,
    });
  if (error instanceof HTTPException) {
    const remedy = error.status === 504 ? { remedy: 'Try again with a smaller request.' } : {};
    return new Problem(error.status as ContentfulStatusCode, error.message || 'The request failed.', remedy);
  }
  return undefined;
}

/** Writes a problem as the answer. */
export function problemResponse(c: Context, problem: Problem, requestId: string): Response {
  if (problem.status === 401) c.header('www-authenticate', 'Bearer realm="millwright"');
  if (problem.status === 503) c.header('retry-after', String(problem.retryAfterSeconds));
  // What is left of the body is not read: the connection is of no more use.
  if (problem.status === 413) c.header('connection', 'close');
  const body = {
    type: 'about:blank',
    title: titles[problem.status] ?? 'Error',
    status: problem.status,
    detail: problem.message,
    instance: requestId,
    ...(problem.remedy === undefined ? {} : { remedy: problem.remedy }),
    ...(problem.errors.length === 0 ? {} : { errors: problem.errors }),
  } satisfies z.infer<typeof problemSchema>;
  return c.body(JSON.stringify(body), problem.status, { 'content-type': 'application/problem+json' });
}
