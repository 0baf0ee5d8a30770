import { createClient, type SupabaseClient } from '@supabase/supabase-js';

export interface StoreOptions {
  /** Of the Supabase project; its API answers below `/rest/v1`. */
  readonly url: string;
  /** `service_role` to record; a person's access token, or the anon key with one, to read through row-level security. */
  readonly key: string;
  /** A person's access token: what is asked is asked in their name. */
  readonly accessToken?: string;
  /** For one request; 15 s unless told. */
  readonly timeoutMs?: number;
  /** Whether reads are tried again, for some seconds, while nothing answers; true unless told. */
  readonly retry?: boolean;
}

/** A client that keeps nothing between requests but connections. */
export function supabaseClient(options: StoreOptions): SupabaseClient {
  const { accessToken, timeoutMs = 15_000, retry = true } = options;
  return createClient(options.url, options.key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    db: { retry },
    global: {
      ...(accessToken === undefined ? {} : { headers: { authorization: `Bearer ${accessToken}` } }),
      fetch: (input, init) =>
        fetch(input, {
          ...init,
          signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(init?.signal ? [init.signal] : [])]),
        }),
    },
  });
}
