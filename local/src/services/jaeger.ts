import type { Context, Service } from '../service.ts';
import { nobody, unprivileged } from './unprivileged.ts';

/** Where traces go (OTLP over HTTP, without `/v1/traces`) and where they are asked for. */
export function jaegerEndpoints(ctx: Context): { otlpUrl: string; queryUrl: string } {
  return {
    otlpUrl: `http://${ctx.addresses.gateway}:${ctx.ports.otlpHttp}`,
    queryUrl: `http://${ctx.addresses.loopback}:${ctx.ports.jaegerQuery}`,
  };
}

/** Jaeger all-in-one: takes OTLP, keeps traces in memory, answers the query API. */
export const jaeger: Service = {
  name: 'jaeger',
  tools: ['jaeger'],
  remedy: 'read its log',
  addresses(ctx) {
    const { queryUrl, otlpUrl } = jaegerEndpoints(ctx);
    // What a Go module carries of Jaeger has no web pages.
    return { [`${queryUrl}/api`]: 'query API (JSON)', [otlpUrl]: 'OTLP over HTTP' };
  },

  async prepare(ctx) {
    const { loopback, gateway } = ctx.addresses;
    const { ports } = ctx;
    return unprivileged(nobody, {
      command: ctx.tool('jaeger'),
      args: [
        '--collector.otlp.enabled=true',
        `--collector.otlp.http.host-port=${gateway}:${ports.otlpHttp}`,
        `--collector.otlp.grpc.host-port=${gateway}:${ports.otlpGrpc}`,
        `--query.http-server.host-port=${loopback}:${ports.jaegerQuery}`,
        `--admin.http.host-port=${loopback}:${ports.jaegerAdmin}`,
        '--memory.max-traces=100000',
        '--log-level=warn',
        // Every other listener (agent, Jaeger's own protocols, the query side's gRPC) gets a free loopback port: nobody uses them.
        ...[
          'collector.grpc-server.host-port',
          'collector.http-server.host-port',
          'query.grpc-server.host-port',
          'processor.jaeger-binary.server-host-port',
          'processor.jaeger-compact.server-host-port',
          'processor.zipkin-compact.server-host-port',
          'http-server.host-port',
        ].map((flag) => `--${flag}=${loopback}:0`),
      ],
      env: { SPAN_STORAGE_TYPE: 'memory' },
    });
  },

  async ready(ctx) {
    const url = `http://${ctx.addresses.loopback}:${ctx.ports.jaegerAdmin}/`;
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  },
};
