/** The `Status` object that the API server answers failures with. */
export interface Status {
  kind?: string;
  code?: number;
  reason?: string;
  message?: string;
  details?: { retryAfterSeconds?: number; causes?: { field?: string; message?: string; reason?: string }[] };
}

/** What a request was, for messages and for whoever has to tell requests apart. */
export interface RequestLabel {
  method: string;
  path: string;
}

/**
 * A request to the API server that failed. `status` is the HTTP status, or 0 when no answer came (refused, reset, timed
 * out): then `reason` is the cause's code, and a write may or may not have happened.
 */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;
  readonly reason: string;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The server's own message, without the request. */
  readonly detail: string;

  constructor(
    failure: { status: number; reason: string; detail: string; retryAfterMs?: number | undefined; cause?: unknown },
    request: RequestLabel,
  ) {
    super(
      `${request.method} ${request.path}: ${failure.status || 'no answer'} ${failure.reason}: ${failure.detail}`,
      failure.cause === undefined ? undefined : { cause: failure.cause },
    );
    this.status = failure.status;
    this.reason = failure.reason;
    this.detail = failure.detail;
    this.retryAfterMs = failure.retryAfterMs;
  }
}

/** A write was attempted by a process that does not lead (any more). Never retried; the process is about to exit. */
export class WritesForbiddenError extends Error {
  override readonly name = 'WritesForbiddenError';

  constructor(what: string) {
    super(`${what} refused: this process does not hold the lease`);
  }
}

/** Thrown by a reconciler for what no retry can mend: the key is reconciled again only when something changes. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/** Turns a failed response into a `KubeError`; the body may be a `Status` or anything a proxy put in its place. */
export function errorFromResponse(
  status: number,
  retryAfter: string | undefined,
  body: string,
  request: RequestLabel,
): KubeError {
  const parsed = parseStatus(body);
  const seconds = Number(retryAfter ?? parsed?.details?.retryAfterSeconds ?? Number.NaN);
  return new KubeError(
    {
      status,
      reason: parsed?.reason || reasonFor(status),
      detail: parsed?.message || body.slice(0, 500) || 'empty answer',
      retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined,
    },
    request,
  );
}

/** Turns an in-stream `ERROR` event of a watch into a `KubeError`. */
export function errorFromStatus(status: Status, request: RequestLabel): KubeError {
  const code = status.code ?? 500;
  const seconds = status.details?.retryAfterSeconds;
  return new KubeError(
    {
      status: code,
      reason: status.reason || reasonFor(code),
      detail: status.message ?? '',
      retryAfterMs: seconds === undefined ? undefined : seconds * 1000,
    },
    request,
  );
}

function parseStatus(body: string): Status | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Status) : undefined;
  } catch {
    return undefined;
  }
}

const reasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

function reasonFor(status: number): string {
  return reasons[status] ?? 'Unknown';
}

/** The object does not exist. */
export function isNotFound(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 404;
}

/** An object of that name exists already (a 409 that is not a lost race). */
export function isAlreadyExists(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 409 && error.reason === 'AlreadyExists';
}

/** The object has changed since the version the write was based on. */
export function isConflict(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 409 && error.reason !== 'AlreadyExists';
}

/** The version or continue token asked for is no longer kept: list again. */
export function isGone(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 410;
}

/** The server sheds load; the request was not carried out. */
export function isTooManyRequests(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 429;
}

/** The object or request is refused as it stands; sending it again cannot help. */
export function isInvalid(error: unknown): error is KubeError {
  return error instanceof KubeError && (error.status === 422 || error.status === 400 || error.status === 413);
}

/** Credentials are missing, expired or not sufficient. */
export function isForbidden(error: unknown): error is KubeError {
  return error instanceof KubeError && (error.status === 401 || error.status === 403);
}

/** No answer came: whether a write happened is unknown. */
export function isUnanswered(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 0;
}
