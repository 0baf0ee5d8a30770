import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../env.ts';
import type { Context } from '../service.ts';

/** Chart values for the local platform: its broker, database and traces, and a folder of the host for the git volume. */
export function localValues(
  ctx: Context,
  environment: Environment,
  images: { operator: string; gateway: string; agents: string },
): Record<string, unknown> {
  const gitData = join(ctx.dataDir('git'), '0');
  mkdirSync(gitData, { recursive: true });
  const ports = [5672, 4318];
  const cidr = `${environment.bridge.gateway}/32`;
  return {
    images: { ...images, pullPolicy: 'IfNotPresent' },
    rabbitmq: { url: environment.amqpUrl, managementUrl: environment.rabbitManagementUrl },
    supabase: {
      url: environment.postgrestUrl,
      serviceKey: environment.supabaseServiceKey,
      jwtSecret: environment.jwtSecret,
    },
    migrate: { url: environment.postgresUrl, plainPostgres: true },
    telemetry: { endpoint: environment.otlpUrl },
    // One machine gains nothing from a second copy of what keeps no state; two operators show a failover.
    gateway: { replicas: 1 },
    recorder: { replicas: 1 },
    publisher: { replicas: 1 },
    git: { storage: { type: 'local', path: ctx.dataDir('git'), node: ctx.addresses.nodeName } },
    // The DNS of the local platform is a process of the host.
    sandbox: { addresses: [{ cidr, ports }], dns: { to: [{ ipBlock: { cidr } }], ports: [53] } },
    networkPolicy: {
      egress: {
        apiServer: { ports: [443, 6443] },
        supabase: { cidrs: [cidr], ports: [80, 443, Number(new URL(environment.postgrestUrl).port)] },
        forges: { cidrs: [cidr], ports: [9418] },
      },
    },
  };
}
