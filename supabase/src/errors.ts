/**
 * What the database said no to.
 * - `rejected`: the data cannot be stored as it is, now or later (a wrong type, a broken constraint).
 * - `unavailable`: anything else, from a refused connection to a missing migration or a wrong key; trying again may help.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: 'rejected' | 'unavailable';
  /** SQLSTATE, or PostgREST's own code; empty when nothing answered. */
  readonly code: string;

  constructor(kind: 'rejected' | 'unavailable', code: string, message: string) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}

/** The part of a supabase-js answer that says how it went. */
export interface Answer {
  readonly error: { readonly code?: string; readonly message: string; readonly details?: string | null } | null;
  readonly status: number;
}

/** Throws a StoreError when the answer is an error. */
export function check(answer: Answer, what: string): void {
  const { error, status } = answer;
  if (!error) return;
  const code = error.code ?? '';
  const details = error.details ? ` (${error.details.slice(0, 500)})` : '';
  throw new StoreError(
    isRejection(code, status) ? 'rejected' : 'unavailable',
    code,
    `${what}: ${error.message.slice(0, 1000) || `status ${status}`}${details}`,
  );
}

/**
 * Classes of SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html): 22 is a data exception, 23 a constraint, 54
 * a limit of the server. PGRST102 is a body that PostgREST cannot read, 413 one that a proxy finds too large.
 */
function isRejection(code: string, status: number): boolean {
  return /^(22|23|54)[0-9A-Z]{3}$/.test(code) || code === 'PGRST102' || status === 413;
}
