/** For tests against a real RabbitMQ: a virtual host of one's own, and a proxy that misbehaves like a network. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from 'node:net';
import { type Management, management } from './management.ts';

export interface TestVhost extends AsyncDisposable {
  /** AMQP URL of the administrator in this virtual host. */
  url: string;
  vhost: string;
  management: Management;
  /** The same URL with other credentials. */
  urlFor(user: string, password: string): string;
  /** Deletes the virtual host and with it everything in it. */
  remove(): Promise<void>;
}

/** Uses `MILLWRIGHT_TEST_AMQP_URL` and `MILLWRIGHT_TEST_RABBITMQ_MANAGEMENT_URL` (administrator's credentials in both). */
export async function createTestVhost(env: NodeJS.ProcessEnv = process.env): Promise<TestVhost> {
  const { MILLWRIGHT_TEST_AMQP_URL: amqpUrl, MILLWRIGHT_TEST_RABBITMQ_MANAGEMENT_URL: managementUrl } = env;
  if (!amqpUrl || !managementUrl) {
    throw new Error('MILLWRIGHT_TEST_AMQP_URL and MILLWRIGHT_TEST_RABBITMQ_MANAGEMENT_URL must be set');
  }
  const vhost = `test-${randomUUID()}`;
  const administration = management(managementUrl, vhost);
  await administration.ensureVhost();
  const url = new URL(amqpUrl);
  url.pathname = `/${vhost}`;
  return {
    url: url.href,
    vhost,
    management: administration,
    urlFor(user, password) {
      const other = new URL(url);
      other.username = encodeURIComponent(user);
      other.password = encodeURIComponent(password);
      return other.href;
    },
    remove: () => administration.deleteVhost(),
    [Symbol.asyncDispose]: () => administration.deleteVhost(),
  };
}

export interface FlakyProxy {
  /** The given AMQP URL, through the proxy. */
  url: string;
  /** Ends every connection without a goodbye. */
  cut(): void;
  /** While true, new connections are cut at once: the broker is down. */
  refuse: boolean;
  /** While true, what the broker says is thrown away: requests arrive, answers do not. */
  deaf: boolean;
  close(): Promise<void>;
}

/** A TCP proxy in front of the broker of an AMQP URL. */
export async function createFlakyProxy(amqpUrl: string): Promise<FlakyProxy> {
  const upstream = new URL(amqpUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    if (proxy.refuse) {
      client.destroy();
      return;
    }
    const broker = connectSocket(Number(upstream.port || 5672), upstream.hostname);
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        broker.destroy();
      });
    }
    client.pipe(broker);
    broker.on('data', (data) => {
      if (!proxy.deaf) client.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(amqpUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  const proxy: FlakyProxy = {
    url: url.href,
    refuse: false,
    deaf: false,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      proxy.cut();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
