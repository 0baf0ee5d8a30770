import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, createToolBuilder, run } from '@millwright/local';
import { Connection } from '@temporalio/client';
import { startChild } from '../child.ts';
import type { Cleanup } from '../cleanup.ts';
import { freePorts } from '../free-ports.ts';
import { poll } from '../poll.ts';
import { type Postgres, startPostgres } from './postgres.ts';

export interface TemporalServer extends AsyncDisposable {
  /** Host and port of its gRPC API. */
  address: string;
}

const HOST = '127.0.0.1';
/** Database → schema in the module. */
const DATABASES = { temporal: 'temporal', temporal_visibility: 'visibility' };
const SERVICES = ['frontend', 'history', 'matching', 'worker'] as const;

/** Starts a Temporal server on loopback over a PostgreSQL server of its own; both are gone when it is disposed of. */
export async function startTemporalServer(ctx: Context, cleanup: Cleanup): Promise<TemporalServer> {
  await createToolBuilder(ctx, new Set(['temporal-server']))('temporal-server');
  const stack = new AsyncDisposableStack();
  const stop = cleanup.add(() => stack.disposeAsync());
  try {
    return { address: await build(ctx, stack), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(ctx: Context, stack: AsyncDisposableStack): Promise<string> {
  const postgres = await startPostgres(ctx, stack);
  for (const [database, schema] of Object.entries(DATABASES)) {
    const sql = (...args: string[]) => sqlTool(ctx, postgres, database, args);
    const created = () =>
      sql('create-database', '--defaultdb', 'postgres').then(
        () => true,
        () => false,
      );
    await poll(60_000, 250, `PostgreSQL does not answer (see ${ctx.logFile('bench-temporal')})`, created);
    await sql('setup-schema', '--version', '0.0');
    await sql('update-schema', '--schema-name', `postgresql/v12/${schema}`);
  }
  const ports = await freePorts(HOST, 2 * SERVICES.length);
  const address = `${HOST}:${ports[0]}`;
  const file = join(ctx.dataDir('bench'), `temporal-${ports[0]}.json`);
  // JSON is YAML. The database's password is in it.
  writeFileSync(file, JSON.stringify(configuration(postgres, ports)), { mode: 0o600 });
  stack.defer(() => rmSync(file));
  const log = ctx.logFile('bench-temporal');
  const args = ['--config-file', file, '--allow-no-auth', 'start'];
  const server = startChild({ command: ctx.tool('temporal-server'), args, log });
  stack.defer(server.stop);
  await poll(60_000, 250, `Temporal does not answer (see ${log})`, () => {
    server.check();
    return Connection.connect({ address, connectTimeout: 2_000 }).then(
      async (connection) => {
        await connection.close();
        return true;
      },
      () => false,
    );
  });
  return address;
}

async function sqlTool(
  ctx: Context,
  { host, port, user, password }: Postgres,
  database: string,
  args: readonly string[],
): Promise<void> {
  await run(ctx.tool('temporal-sql-tool'), args, {
    log: ctx.logFile('bench-temporal'),
    env: {
      SQL_PLUGIN: 'postgres12',
      SQL_HOST: host,
      SQL_PORT: String(port),
      SQL_USER: user,
      SQL_PASSWORD: password,
      SQL_DATABASE: database,
    },
  });
}

/** As the module's own config/development-postgres12.yaml has it, but for addresses. */
function configuration({ host, port, user, password }: Postgres, ports: readonly number[]) {
  const store = (databaseName: string, connections: number) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `${host}:${port}`,
      connectProtocol: 'tcp',
      user,
      password,
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
      datastores: { default: store('temporal', 20), visibility: store('temporal_visibility', 2) },
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
