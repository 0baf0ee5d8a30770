import { isDeepStrictEqual } from 'node:util';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { Clock } from './clock.ts';
import type { Connection, Credentials } from './credentials.ts';

/** How often credentials are read again; as often as client-go does for token files. */
const REREAD_MS = 60_000;

/** The connections of this moment: what to send with, and the headers that authenticate. */
export interface Line {
  /** For calls: at most `connections` sockets, each reused. */
  readonly calls: Dispatcher;
  /** For watches, which hold a socket for minutes each and must not keep calls waiting. */
  readonly watches: Dispatcher;
  readonly headers: Record<string, string>;
  /** Path of the server's base URL, put before every path. */
  readonly prefix: string;
}

/**
 * Keeps one pool of connections to the API server for the life of the process, and replaces it only when the server's
 * address, its CA or a client certificate has changed. (client-node builds a new pool, hence a TLS handshake, for every
 * request.)
 */
export class Connections {
  /** TCP connections opened so far. */
  opened = 0;
  readonly #credentials: Credentials;
  readonly #clock: Clock;
  readonly #limit: number;
  #connection: Connection | undefined;
  #line: Line | undefined;
  #readAt = 0;
  #reading: Promise<Line> | undefined;

  constructor(credentials: Credentials, clock: Clock, limit: number) {
    this.#credentials = credentials;
    this.#clock = clock;
    this.#limit = limit;
  }

  /** The line to use now. Old credentials serve on while new ones are read, so rotation delays no request. */
  line(): Line | Promise<Line> {
    if (this.#line === undefined) return this.renew();
    // A failed read is tried again in a minute; if the old credentials no longer serve, a 401 says so sooner.
    if (this.#clock.now() - this.#readAt > REREAD_MS) this.renew().catch(() => undefined);
    return this.#line;
  }

  /** Reads the credentials now. Concurrent callers share one read. */
  renew(): Promise<Line> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Waits for requests under way, then closes every connection. Watches have to be aborted first. */
  async close(): Promise<void> {
    const line = this.#line;
    this.#line = undefined;
    await Promise.all([line?.calls.close(), line?.watches.close()]);
  }

  async #read(): Promise<Line> {
    this.#readAt = this.#clock.now();
    const next = await this.#credentials.read();
    const last = this.#connection;
    const reusable = last !== undefined && last.server === next.server && isDeepStrictEqual(last.tls, next.tls);
    this.#connection = next;
    if (this.#line !== undefined && reusable) {
      this.#line = { ...this.#line, headers: next.headers };
      return this.#line;
    }
    const old = this.#line;
    const url = new URL(next.server);
    this.#line = {
      calls: this.#pool(url, next, this.#limit),
      watches: this.#pool(url, next, null),
      headers: next.headers,
      prefix: url.pathname.replace(/\/$/, ''),
    };
    void old?.calls.close();
    void old?.watches.close();
    return this.#line;
  }

  #pool(url: URL, connection: Connection, connections: number | null): Pool {
    const connect = buildConnector({
      ...connection.tls,
      allowH2: false,
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
    });
    return new Pool(url.origin, {
      connections,
      pipelining: 1,
      // undici speaks HTTP/2 where offered, which puts every request on one connection and is slower in Node.
      allowH2: false,
      // Below the API server's own 90 s, so that a request never meets a connection that is being closed.
      keepAliveTimeout: 60_000,
      keepAliveMaxTimeout: 60_000,
      connect: (options, callback) =>
        connect(options, (...result) => {
          if (result[0] === null) {
            this.opened += 1;
            result[1].setNoDelay(true);
          }
          callback(...result);
        }),
    });
  }
}
