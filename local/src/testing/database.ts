import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { applyPrelude, databaseClient, migrate } from '@millwright/supabase/migrate';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { withDatabase } from '../services/postgres.ts';
import { answers, postgrestCommand, postgrestEnvironment } from '../services/postgrest.ts';
import { restProxy } from '../services/rest-proxy.ts';
import { type Claims, signToken } from '../services/tokens.ts';
import { serviceUrl } from './environment.ts';

/** A database of a test's own, with the migrations applied and a PostgREST before it: a Supabase project in small. */
export interface TestDatabase extends AsyncDisposable {
  /** Superuser's URL of the database. */
  readonly postgresUrl: string;
  /** Base URL for supabase-js. */
  readonly url: string;
  readonly serviceKey: string;
  readonly anonKey: string;
  /** Signs the tokens of its people. */
  readonly jwtSecret: string;
  /** A token such as a signed-in person has. */
  token(claims: Claims): string;
  /** Bypasses row-level security, as the recorder does. */
  readonly client: SupabaseClient;
  /** Runs a statement as superuser and returns its rows. */
  sql<Row extends Record<string, unknown>>(statement: string, values?: unknown[]): Promise<Row[]>;
  /** Kills PostgREST; its URL then answers 503. */
  stopPostgrest(): Promise<void>;
  /** Starts it again and waits until it answers. */
  startPostgrest(): Promise<void>;
  dispose(): Promise<void>;
}

/** Makes a database. Without an argument the environment says where Postgres is. */
export async function testDatabase(
  serverUrl: string = serviceUrl('MILLWRIGHT_TEST_POSTGRES_URL'),
): Promise<TestDatabase> {
  await using building = new AsyncDisposableStack();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = await databaseClient(serverUrl);
  building.defer(() => admin.end());
  // The same rights as Supabase's `authenticator`, whose password is not the test's to know.
  building.defer(async () => void (await admin.query(`drop role if exists ${name}`)));
  building.defer(async () => void (await admin.query(`drop database if exists ${name} with (force)`)));
  await admin.query(`create database ${name}`);
  const postgresUrl = withDatabase(serverUrl, name);
  await applyPrelude(postgresUrl);
  await migrate(postgresUrl);
  const login = new URL(postgresUrl);
  login.username = name;
  login.password = randomBytes(16).toString('hex');
  await admin.query(
    `create role ${name} login noinherit password '${login.password}' in role anon, authenticated, service_role`,
  );

  const jwtSecret = randomBytes(24).toString('hex');
  const postgrest = postgrestProcess({
    databaseUrl: login.href,
    jwtSecret,
    host: '127.0.0.1',
    port: await freePort(),
    pool: 5,
  });
  building.defer(postgrest.stop);
  await postgrest.start();
  const proxy = restProxy(postgrest.url);
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  building.defer(async () => {
    proxy.close();
    proxy.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const serviceKey = signToken(jwtSecret, { role: 'service_role' });
  const queries = await databaseClient(postgresUrl);
  building.defer(() => queries.end());
  // One connection runs one statement at a time.
  let last: Promise<unknown> = Promise.resolve();

  const everything = building.move();
  const dispose = () => everything.disposeAsync();
  return {
    postgresUrl,
    url,
    serviceKey,
    jwtSecret,
    anonKey: signToken(jwtSecret, { role: 'anon' }),
    token: (claims) => signToken(jwtSecret, claims),
    client: createClient(url, serviceKey, { auth: { persistSession: false, autoRefreshToken: false } }),
    sql: <Row extends Record<string, unknown>>(statement: string, values: unknown[] = []) => {
      const result = last.then(() => queries.query<Row>(statement, values));
      last = result.catch(() => {});
      return result.then(({ rows }) => rows);
    },
    stopPostgrest: postgrest.stop,
    startPostgrest: postgrest.start,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

function postgrestProcess(options: Parameters<typeof postgrestEnvironment>[0]) {
  const url = `http://${options.host}:${options.port}`;
  let child: ChildProcess | undefined;
  return {
    url,
    async start(): Promise<void> {
      // The kernel ends it with the test's process, however that ends.
      const started = spawn('setpriv', ['--pdeathsig', 'KILL', postgrestCommand()], {
        env: postgrestEnvironment(options),
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child = started;
      let output = '';
      started.stderr.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-2_000);
      });
      const deadline = Date.now() + 30_000;
      for (;;) {
        const failure = await answers(`${url}/`).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure === undefined) return;
        if (started.exitCode !== null || Date.now() > deadline) throw new Error(`PostgREST did not start: ${output}`);
        await delay(50);
      }
    },
    async stop(): Promise<void> {
      const running = child;
      child = undefined;
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const ended = once(running, 'exit');
      running.kill('SIGKILL');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
