import { createMetrics, noTelemetry, type Telemetry } from '@millwright/otel';
import { readGatewayConfig } from '../gateway/config.ts';
import { createGateway } from '../gateway/server.ts';
import { type Kube, KubeError } from '../shared/kube.ts';
import { listen } from '../shared/server.ts';
import { recordingLog } from './git-host.ts';

export const jwtSecret = 'test-jwt-secret-with-at-least-32-characters';

/** A cluster that cannot be reached. */
export const noKube: Kube = {
  get: () => Promise.reject(new KubeError(0, 'the Kubernetes API cannot be reached')),
  create: () => Promise.reject(new KubeError(0, 'the Kubernetes API cannot be reached')),
  mergePatch: () => Promise.reject(new KubeError(0, 'the Kubernetes API cannot be reached')),
  close: async () => {},
};

export interface TestGateway {
  url: string;
  lines: ReturnType<typeof recordingLog>['lines'];
  close(): Promise<void>;
}

/** A gateway on a free port; whatever is not given is not there. */
export async function startGateway(
  environment: NodeJS.ProcessEnv,
  kube: Kube = noKube,
  telemetry: Telemetry = noTelemetry,
): Promise<TestGateway> {
  const config = readGatewayConfig({
    MILLWRIGHT_GIT_URL: 'http://127.0.0.1:9',
    MILLWRIGHT_SUPABASE_URL: 'http://127.0.0.1:9',
    MILLWRIGHT_SUPABASE_KEY: 'no-key',
    MILLWRIGHT_SUPABASE_JWT_SECRET: jwtSecret,
    ...environment,
  });
  const { log, lines } = recordingLog();
  const gateway = createGateway(config, { kube, log, metrics: createMetrics('gateway'), telemetry });
  const server = await listen(gateway.app, { port: 0, hostname: '127.0.0.1' });
  return {
    url: server.url,
    lines,
    close: async () => {
      await server.close(0);
      await gateway.close();
    },
  };
}
