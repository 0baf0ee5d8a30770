import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Logger, silentLogger } from '@millwright/otel';
import type { Reflector } from './reflector.ts';
import type { KubeObject } from './resource.ts';

/** One thing that has to be well: `check` says what is wrong, or nothing. A throw counts as its message. */
export interface HealthCheck {
  name: string;
  check: () => string | undefined | Promise<string | undefined>;
}

export interface HealthServerOptions {
  host?: string;
  /** 0 takes any free port. */
  port: number;
  /** `/healthz`: the process is restarted when one of these fails for long. */
  live: readonly HealthCheck[];
  /** `/readyz`: the process gets no traffic while one of these fails. */
  ready: readonly HealthCheck[];
  /** `/metrics`, in Prometheus' text format. */
  metrics?: () => Promise<string>;
  logger?: Logger;
}

const CHECK_TIMEOUT_MS = 5_000;

/** Serves `/healthz`, `/readyz` and `/metrics`. A failing check answers 503 and names what is wrong. */
export async function startHealthServer(
  options: HealthServerOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  const logger = options.logger ?? silentLogger;

  async function answer(path: string, response: ServerResponse): Promise<void> {
    if (path === '/metrics' && options.metrics !== undefined) {
      return reply(response, 200, await options.metrics(), 'text/plain; version=0.0.4; charset=utf-8');
    }
    const checks = path === '/healthz' ? options.live : path === '/readyz' ? options.ready : undefined;
    if (checks === undefined) return reply(response, 404, 'not found\n');
    const results = await Promise.all(checks.map(run));
    const failed = results.some((result) => result.problem !== undefined);
    const lines = results.map(({ name, problem }) =>
      problem === undefined ? `[+] ${name}` : `[-] ${name}: ${problem}`,
    );
    if (failed) logger.warn('health check failed', { path, failing: lines.filter((line) => line.startsWith('[-]')) });
    reply(response, failed ? 503 : 200, `${lines.join('\n')}\n`);
  }

  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    answer(path, response).catch((error: unknown) => {
      logger.error('health server failed', { path, error });
      if (!response.headersSent) reply(response, 500, 'internal error\n');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host ?? '0.0.0.0', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function run(check: HealthCheck): Promise<{ name: string; problem: string | undefined }> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${CHECK_TIMEOUT_MS} ms`), CHECK_TIMEOUT_MS);
  });
  try {
    return { name: check.name, problem: await Promise.race([check.check(), timeout]) };
  } catch (error) {
    return { name: check.name, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

function reply(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Fails when a reflector has not heard from the API server for `maxMs`; more than its silence limit, or it cannot act first. */
export function watchAgeCheck(
  reflectors: readonly Pick<Reflector<KubeObject, string>, 'resource' | 'watchAgeMs'>[],
  maxMs: number,
): HealthCheck {
  return {
    name: 'watches',
    check: () => {
      const old = reflectors.filter((reflector) => reflector.watchAgeMs() > maxMs);
      if (old.length === 0) return undefined;
      return old
        .map(({ resource, watchAgeMs }) => `${resource.kind} unheard of for ${Math.round(watchAgeMs())} ms`)
        .join(', ');
    },
  };
}

/** Fails until every reflector has completed a list. */
export function syncedCheck(
  reflectors: readonly Pick<Reflector<KubeObject, string>, 'resource' | 'hasSynced'>[],
): HealthCheck {
  return {
    name: 'caches',
    check: () => {
      const missing = reflectors.filter((reflector) => !reflector.hasSynced());
      return missing.length === 0
        ? undefined
        : `not listed yet: ${missing.map(({ resource }) => resource.kind).join(', ')}`;
    },
  };
}

/** Fails when the event loop was held up for more than `maxMs` at once since the last check. */
export function loopLagCheck(maxMs: number): HealthCheck {
  const histogram = monitorEventLoopDelay({ resolution: 20 });
  histogram.enable();
  return {
    name: 'event loop',
    check: () => {
      const worstMs = histogram.max / 1e6;
      histogram.reset();
      return worstMs > maxMs ? `held up for ${Math.round(worstMs)} ms` : undefined;
    },
  };
}
