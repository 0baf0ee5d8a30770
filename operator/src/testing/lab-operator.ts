import { type Broker, connect, type Management } from '@millwright/broker';
import { createFlakyProxy } from '@millwright/broker/testing';
import { createMetrics, noTelemetry, silentLogger } from '@millwright/otel';
import { watchCluster } from '../cluster.ts';
import { startOperator } from '../operator.ts';
import { connectKube, noMetrics, waitForSync } from '../runtime/index.ts';
import { taskMetrics } from '../task-metrics.ts';
import { SANDBOX_SETTINGS } from './objects.ts';

const SIGNING_KEY = 'integration test'.padEnd(32, '.');

/** An operator in this process, over a proxy of its own. */
export interface LabOperator {
  epoch: number;
  /** Calls that change something in the API server, Events included. */
  writes(): number;
  /** Results that it was delivered and has taken in. */
  results(): number;
  /** Ends it between two moments: it writes and says nothing any more. */
  kill(): Promise<void>;
}

export async function startLabOperator(options: {
  kubeconfig: string;
  amqpUrl: string;
  admin: Management;
  namespace: string;
  epoch: number;
}): Promise<LabOperator> {
  const { kubeconfig, amqpUrl, admin, namespace, epoch } = options;
  let writes = 0;
  const metrics = { ...noMetrics, apiRequest: (method: string) => void (method === 'GET' || writes++) };
  const base = await connectKube({ kubeconfig, metrics });
  const dead = new AbortController();
  const proxy = await createFlakyProxy(amqpUrl);
  const broker = await connect({
    url: proxy.url,
    name: `operator ${epoch}`,
    topology: 'declare',
    mayPublish: () => !dead.signal.aborted,
  });
  let results = 0;
  const consume: Broker['consume'] = (queue, schema, handler, consumeOptions) =>
    broker.consume(
      queue,
      schema,
      async (delivery) => {
        await handler(delivery);
        if ((delivery.message as { type?: string }).type === 'result') results++;
      },
      consumeOptions,
    );
  const cluster = watchCluster({ kube: base, namespace, shard: namespace, logger: silentLogger, metrics });
  for (const reflector of Object.values(cluster)) void reflector.run(dead.signal);
  await waitForSync(Object.values(cluster));
  const operator = await startOperator({
    kube: base.guardedBy({ writesAllowed: () => !dead.signal.aborted, signal: dead.signal }),
    broker: Object.create(broker, { consume: { value: consume } }) as Broker,
    management: admin,
    cluster,
    epoch: () => epoch,
    instance: `operator-${epoch}`,
    grants: {
      signingKey: SIGNING_KEY,
      gatewayUrl: 'http://gateway.example',
      author: { name: 'Test', email: 'test@example.org' },
    },
    sandbox: SANDBOX_SETTINGS,
    sandboxAmqpUrl: amqpUrl,
    reachable: {
      controlNamespace: namespace,
      brokerPort: 5672,
      dns: { to: [{ ipBlock: { cidr: '10.0.0.10/32' } }], ports: [53] },
      addresses: [],
    },
    telemetry: noTelemetry,
    logger: silentLogger,
    metrics,
    taskMetrics: taskMetrics(createMetrics('operator')),
  });
  return {
    epoch,
    writes: () => writes,
    results: () => results,
    async kill() {
      if (dead.signal.aborted) return;
      dead.abort();
      proxy.refuse = true;
      await proxy.close();
      await Promise.all([operator.stop(), broker.close()]);
      await base.close();
    },
  };
}
