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
}

/** A client that keeps nothing between requests but connections. */
export function supabaseClient(options: StoreOptions): SupabaseClient {
  const { accessToken, timeoutMs = 15_000 } = options;
  return createClient(options.url, options.key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
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
