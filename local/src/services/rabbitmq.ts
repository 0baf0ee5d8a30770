import { chmod, chown, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { CommandError, run } from '../process/run.ts';
import type { Context, Service } from '../service.ts';
import { account, ownedFolder, unprivileged } from './unprivileged.ts';

const user = 'millwright';
/** The host part must resolve to loopback, because the node looks itself up at its own EPMD. */
const nodeName = 'millwright@localhost';

/** Where to find the broker: AMQP with the administrator's credentials, and its management API (credentials in the URL as well). */
export function rabbitmqEndpoints(ctx: Context): { amqpUrl: string; managementUrl: string } {
  const credentials = `${user}:${ctx.secret('rabbitmq')}`;
  return {
    amqpUrl: `amqp://${credentials}@${ctx.addresses.gateway}:${ctx.ports.amqp}`,
    managementUrl: `http://${credentials}@${ctx.addresses.gateway}:${ctx.ports.rabbitManagement}`,
  };
}

/** RabbitMQ from Debian, beside whatever the machine runs: own node name, own EPMD, own folders. */
export const rabbitmq: Service = {
  name: 'rabbitmq',
  packages: ['rabbitmq-server'],
  readyTimeoutSeconds: 90,
  stop: { timeoutSeconds: 30 },
  remedy: 'read its log; if its data was written by another version, `npm run local -- reset` starts afresh',
  addresses(ctx) {
    const { amqpUrl, managementUrl } = rabbitmqEndpoints(ctx);
    return { [amqpUrl]: 'AMQP', [managementUrl]: 'management UI' };
  },

  async prepare(ctx) {
    const who = await account('rabbitmq');
    const dir = await ownedFolder(who, ctx.dataDir('rabbitmq'));
    const write = async (name: string, text: string) => {
      const path = join(dir, name);
      await writeFile(path, text, { mode: 0o600 });
      await chmod(path, 0o600);
      if (process.getuid?.() === 0) await chown(path, who.uid, who.gid);
      return path;
    };
    const config = await write('rabbitmq.conf', configuration(ctx));
    const plugins = await write('enabled_plugins', '[rabbitmq_management].\n');
    const environment = await write('rabbitmq-env.conf', '');
    return unprivileged(who, {
      command: '/usr/lib/rabbitmq/bin/rabbitmq-server',
      args: [],
      cwd: dir,
      env: {
        HOME: dir,
        // Makes the start script replace itself by the node, so that the node gets our signals.
        RUNNING_UNDER_SYSTEMD: '1',
        RABBITMQ_NODENAME: nodeName,
        RABBITMQ_CONF_ENV_FILE: environment,
        RABBITMQ_CONFIG_FILE: config,
        RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, 'advanced.config'),
        RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
        RABBITMQ_MNESIA_BASE: join(dir, 'mnesia'),
        RABBITMQ_GENERATED_CONFIG_DIR: join(dir, 'config'),
        RABBITMQ_PID_FILE: join(dir, 'pid'),
        RABBITMQ_LOG_BASE: join(dir, 'log'),
        RABBITMQ_LOGS: '-',
        RABBITMQ_DIST_PORT: String(ctx.ports.rabbitDistribution),
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
        ...epmdEnvironment(ctx),
      },
      fingerprint: configuration(ctx),
    });
  },

  async ready(ctx) {
    const { managementUrl } = rabbitmqEndpoints(ctx);
    await management(managementUrl, 'GET', '/api/health/checks/virtual-hosts');
    await connects(ctx.addresses.loopback, ctx.ports.amqp);
    await connects(ctx.addresses.gateway, ctx.ports.amqp);
  },

  // The node starts EPMD as a daemon of its own, in a session of its own.
  async afterStop(ctx) {
    await run('epmd', ['-port', String(ctx.ports.epmd), '-kill'], { env: epmdEnvironment(ctx) }).catch(
      (error: unknown) => {
        // It ends with 1 when there is none to kill.
        if (!(error instanceof CommandError)) throw error;
      },
    );
  },
};

function configuration(ctx: Context): string {
  return `${[
    `listeners.tcp.1 = ${ctx.addresses.loopback}:${ctx.ports.amqp}`,
    `listeners.tcp.2 = ${ctx.addresses.gateway}:${ctx.ports.amqp}`,
    'tcp_listen_options.nodelay = true',
    `management.tcp.ip = ${ctx.addresses.gateway}`,
    `management.tcp.port = ${ctx.ports.rabbitManagement}`,
    `default_user = ${user}`,
    `default_pass = ${ctx.secret('rabbitmq')}`,
    'loopback_users = none',
    'log.console = true',
    'log.console.level = info',
    'log.file = false',
    // The default of 512 MB is held in memory several times over.
    'raft.wal_max_size_bytes = 67108864',
    'disk_free_limit.absolute = 500MB',
  ].join('\n')}\n`;
}

function epmdEnvironment(ctx: Context): Record<string, string> {
  return { ERL_EPMD_PORT: String(ctx.ports.epmd), ERL_EPMD_ADDRESS: ctx.addresses.loopback };
}

/**
 * One request to RabbitMQ's management API.
 *
 * @param url base URL with credentials
 * @throws Error with the broker's answer when the status is not 2xx (404 is allowed for DELETE)
 */
export async function management(url: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const { username, password, origin } = new URL(url);
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    signal: AbortSignal.timeout(10_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok && !(method === 'DELETE' && response.status === 404)) {
    throw new Error(`RabbitMQ answered ${response.status} to ${method} ${path}: ${text.slice(0, 500)}`);
  }
  return text ? JSON.parse(text) : undefined;
}

function connects(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, timeout: 2_000 });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => socket.destroy(new Error(`no connection to ${host}:${port}`)));
    socket.once('error', reject);
  });
}
