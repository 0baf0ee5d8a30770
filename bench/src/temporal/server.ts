import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type Context, createToolBuilder, type Environment, run } from '@millwright/local';
import { Connection } from '@temporalio/client';
import type { Cleanup } from '../cleanup.ts';
import { hasEnded } from '../operator-process.ts';
import { poll } from '../poll.ts';

export interface TemporalServer extends AsyncDisposable {
  /** Host and port of its gRPC API. */
  address: string;
}

const HOST = '127.0.0.1';
const SERVICES = ['frontend', 'history', 'matching', 'worker'] as const;

/**
 * Starts a Temporal server on loopback, with databases of its own on the platform's PostgreSQL, which writes with fsync. Shards, connections
 * and the rest are as in the module's own config/development-postgres12.yaml.
 */
export async function startTemporalServer(
  ctx: Context,
  environment: Environment,
  cleanup: Cleanup,
): Promise<TemporalServer> {
  await createToolBuilder(ctx, new Set(['temporal-server']))('temporal-server');
  const stack = new AsyncDisposableStack();
  const stop = cleanup.add(() => stack.disposeAsync());
  try {
    const name = `bench_temporal_${randomBytes(4).toString('hex')}`;
    const postgres = new URL(environment.postgresUrl);
    for (const [database, schema] of [
      [name, 'temporal'],
      [`${name}_visibility`, 'visibility'],
    ] as const) {
      const sql = (...args: string[]) => sqlTool(ctx, postgres, database, args);
      stack.defer(() => sql('drop-database', '--defaultdb', 'postgres', '--force'));
      await sql('create-database', '--defaultdb', 'postgres');
      await sql('setup-schema', '--version', '0.0');
      await sql('update-schema', '--schema-name', `postgresql/v12/${schema}`);
    }
    const ports = await freePorts(2 * SERVICES.length);
    const address = `${HOST}:${ports[0]}`;
    const file = join(ctx.dataDir('bench'), `${name}.json`);
    // JSON is YAML. The database's password is in it.
    writeFileSync(file, JSON.stringify(configuration(postgres, name, ports)), { mode: 0o600 });
    stack.defer(() => rmSync(file));
    const log = ctx.logFile('bench-temporal');
    const output = createWriteStream(log, { flags: 'a' });
    const server = spawn(
      'setpriv',
      ['--pdeathsig', 'TERM', ctx.tool('temporal-server'), '--config-file', file, '--allow-no-auth', 'start'],
      { env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    server.stdout.pipe(output, { end: false });
    server.stderr.pipe(output, { end: false });
    stack.defer(async () => {
      if (!hasEnded(server)) {
        const ended = once(server, 'exit');
        server.kill('SIGTERM');
        // It waits for its clients; nothing of it is kept, so there is nothing to wait for.
        const impatience = setTimeout(() => server.kill('SIGKILL'), 5_000);
        await ended;
        clearTimeout(impatience);
      }
      output.end();
    });
    await poll(60_000, 250, `Temporal does not answer (see ${log})`, () => {
      if (hasEnded(server)) throw new Error(`Temporal's server has ended; see ${log}`);
      return Connection.connect({ address, connectTimeout: 2_000 }).then(
        async (connection) => {
          await connection.close();
          return true;
        },
        () => false,
      );
    });
    return { address, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function sqlTool(ctx: Context, postgres: URL, database: string, args: readonly string[]): Promise<void> {
  await run(ctx.tool('temporal-sql-tool'), args, {
    log: ctx.logFile('bench-temporal'),
    env: {
      SQL_PLUGIN: 'postgres12',
      SQL_HOST: postgres.hostname,
      SQL_PORT: postgres.port,
      SQL_USER: decodeURIComponent(postgres.username),
      SQL_PASSWORD: decodeURIComponent(postgres.password),
      SQL_DATABASE: database,
    },
  });
}

function configuration(postgres: URL, database: string, ports: readonly number[]) {
  const store = (databaseName: string, connections: number) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: postgres.host,
      connectProtocol: 'tcp',
      user: decodeURIComponent(postgres.username),
      password: decodeURIComponent(postgres.password),
      maxConns: connections,
      maxIdleConns: connections,
      maxConnLifetime: '1h',
    },
  });
  const services = SERVICES.map((name, index) => [
    name,
    { rpc: { grpcPort: ports[2 * index], membershipPort: ports[2 * index + 1], bindOnLocalHost: true } },
  ]);
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 4,
      datastores: { default: store(database, 20), visibility: store(`${database}_visibility`, 2) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: HOST } },
    services: Object.fromEntries(services),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: `${HOST}:${ports[0]}` },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
  };
}

/** Ports that nobody listens on at the moment. */
async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let i = 0; i < count; i++) {
    const server = createServer();
    server.listen(0, HOST);
    await once(server, 'listening');
    servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
