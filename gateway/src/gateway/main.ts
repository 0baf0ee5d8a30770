import { createMetrics } from '@millwright/otel';
import { connectKube } from '../shared/kube.ts';
import { type Running, runProcess, type Surroundings } from '../shared/process.ts';
import { listen } from '../shared/server.ts';
import { type GatewayConfig, readGatewayConfig } from './config.ts';
import { createGateway } from './server.ts';

async function start(config: GatewayConfig, { log, telemetry }: Surroundings): Promise<Running> {
  const kube = await connectKube(process.env);
  const gateway = createGateway(config, { kube, log, metrics: createMetrics('gateway'), telemetry });
  const server = await listen(gateway.app, {
    port: config.MILLWRIGHT_HTTP_PORT,
    hostname: config.MILLWRIGHT_HTTP_HOST,
  });
  log.info('gateway ready', { port: server.port });
  return {
    close: async () => {
      await server.close();
      await gateway.close();
      await kube.close();
    },
  };
}

await runProcess('gateway', readGatewayConfig, start);
