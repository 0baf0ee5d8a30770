/** The part of RabbitMQ's management HTTP API that users and virtual hosts need. Source: /api/index.html of the management plug-in. */

import { BrokerError } from './errors.ts';
import { topology } from './topology.ts';

/** Regular expressions over names of queues and exchanges. An empty one matches nothing. */
export interface Permissions {
  configure: string;
  write: string;
  read: string;
}

/** Regular expressions over routing keys, for topic exchanges only. */
export interface TopicPermissions {
  exchange: string;
  write: string;
  read: string;
}

export interface UserSpec {
  name: string;
  password: string;
  permissions: Permissions;
  /** Without these, every routing key is allowed. */
  topicPermissions?: readonly TopicPermissions[];
  /** Such as `management`; none by default. */
  tags?: readonly string[];
}

export interface QueueInfo {
  name: string;
  messages: number;
  messagesReady: number;
  consumers: number;
}

export interface Management {
  /** Creates the user or replaces its password, tags and permissions on the virtual host. */
  ensureUser(user: UserSpec): Promise<void>;
  /** Nothing happens when there is none. Open connections of the user end. */
  deleteUser(name: string): Promise<void>;
  /** Names of users that start with `prefix` and have rights on the virtual host, and on no other. */
  listUsers(prefix?: string): Promise<string[]>;
  ensureVhost(): Promise<void>;
  deleteVhost(): Promise<void>;
  /** Queues of the virtual host whose name starts with `prefix`. Counts are a few seconds old. */
  listQueues(prefix?: string): Promise<QueueInfo[]>;
}

export class ManagementError extends BrokerError {
  override name = 'ManagementError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const TIMEOUT_MS = 10_000;

/**
 * @param url base of the API with credentials: `http://user:password@host:15672`
 * @param vhost the virtual host that everything applies to
 */
export function management(url: string, vhost: string): Management {
  const base = new URL(url);
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`).toString('base64')}`;
  base.username = '';
  base.password = '';
  const root = base.href.replace(/\/+$/, '');
  const host = encodeURIComponent(vhost);

  async function call(method: string, path: string, body?: unknown, absentIsFine = false): Promise<unknown> {
    const response = await fetch(`${root}/api/${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    if (response.ok) return text === '' ? undefined : JSON.parse(text);
    if (absentIsFine && response.status === 404) return undefined;
    throw new ManagementError(
      response.status,
      `RabbitMQ management refused ${method} ${path}: ${response.status} ${text.slice(0, 300)}`,
    );
  }

  return {
    async ensureUser(user) {
      const name = encodeURIComponent(user.name);
      await call('PUT', `users/${name}`, { password: user.password, tags: (user.tags ?? []).join(',') });
      // Topic permissions first: between the two calls the user has fewer rights rather than more.
      for (const topic of user.topicPermissions ?? []) await call('PUT', `topic-permissions/${host}/${name}`, topic);
      await call('PUT', `permissions/${host}/${name}`, user.permissions);
    },
    async deleteUser(name) {
      await call('DELETE', `users/${encodeURIComponent(name)}`, undefined, true);
    },
    async listUsers(prefix = '') {
      const rights = (await call('GET', 'permissions')) as { user: string; vhost: string }[];
      const elsewhere = new Set(rights.filter((right) => right.vhost !== vhost).map(({ user }) => user));
      return rights
        .filter((right) => right.vhost === vhost && right.user.startsWith(prefix) && !elsewhere.has(right.user))
        .map(({ user }) => user);
    },
    async ensureVhost() {
      await call('PUT', `vhosts/${host}`);
    },
    async deleteVhost() {
      await call('DELETE', `vhosts/${host}`, undefined, true);
    },
    async listQueues(prefix = '') {
      const found = (await call('GET', `queues/${host}?columns=name,messages,messages_ready,consumers`)) as {
        name: string;
        messages?: number;
        messages_ready?: number;
        consumers?: number;
      }[];
      return found
        .filter((queue) => queue.name.startsWith(prefix))
        .map((queue) => ({
          name: queue.name,
          messages: queue.messages ?? 0,
          messagesReady: queue.messages_ready ?? 0,
          consumers: queue.consumers ?? 0,
        }));
    },
  };
}

/** Name of the RabbitMQ user of a pool. Namespaces have no dots, so the name can be split again. */
export const poolUser = (namespace: string, pool: string): string => `pool.${namespace}.${pool}`;

/** The pool that a verified user id stands for; undefined for any other user. */
export function parsePoolUser(user: string | undefined): { namespace: string; pool: string } | undefined {
  const match = /^pool\.([^.]+)\.(.+)$/.exec(user ?? '');
  return match?.[1] && match[2] ? { namespace: match[1], pool: match[2] } : undefined;
}

const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
const anyOf = (...patterns: string[]) => `^(${patterns.join('|')})$`;

/**
 * What a sandbox may do: take work of its namespace, hear what is said to agents on a queue of its own, send results and events, put work back.
 * Nothing on the default exchange, which would reach every queue.
 */
export function poolPermissions(namespace: string): Permissions {
  const live = `live\\.${literal(poolUser(namespace, ''))}.+`;
  return {
    configure: anyOf(live),
    write: anyOf(literal(topology.results), literal(topology.events), `${literal('millwright.retry.')}[0-9]+s`, live),
    read: anyOf(
      `work\\.${literal(namespace)}\\..+`,
      literal(topology.agents),
      `${literal('amq.rabbitmq.reply-to')}.*`,
      live,
    ),
  };
}

/**
 * Which routing keys a sandbox may use: events of its namespace except snapshots, which only the operator makes; its namespace's work queues; and
 * to listen, its namespace.
 */
export function poolTopicPermissions(namespace: string): TopicPermissions[] {
  const own = literal(namespace);
  return [
    { exchange: topology.events, write: `^(log|progress|artifact)\\.${own}$`, read: '^$' },
    { exchange: topology.agents, write: '^$', read: `^${own}$` },
    ...(['5s', '60s'] as const).map((tier) => ({
      exchange: topology.retry(tier),
      write: `^work\\.${own}\\..+$`,
      read: '^$',
    })),
  ];
}
