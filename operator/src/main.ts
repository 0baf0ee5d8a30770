import { connect, deadLettersCommand, management } from '@millwright/broker';
import { brokerMetrics, createLogger, createMetrics, type Logger, startTelemetry } from '@millwright/otel';
import { watchCluster } from './cluster.ts';
import { exportCluster } from './cluster-metrics.ts';
import { ConfigError, type OperatorConfig, readConfig } from './config.ts';
import { startOperator } from './operator.ts';
import { withReconcileSpans } from './reconcile-spans.ts';
import {
  connectKube,
  createLeaderElection,
  createShutdown,
  exportReflectors,
  loopLagCheck,
  prometheusMetrics,
  startHealthServer,
  syncedCheck,
  waitForSync,
  watchAgeCheck,
} from './runtime/index.ts';
import { taskMetrics } from './task-metrics.ts';

const USAGE = `usage: operator [command]

  (none)                 reconciles until it is told to stop
  dead-letters …         lists, shows, re-drives and drops dead letters; see dead-letters --help

Configuration is read from the environment; a wrong one is answered with every problem at once.`;

/** A watch that has been silent for so long has been noticed and restarted long before, so the process is stuck. */
const WATCH_AGE_LIMIT_MS = 20 * 60_000;
const LOOP_LAG_LIMIT_MS = 10_000;

async function run(config: OperatorConfig, logger: Logger): Promise<void> {
  const shutdown = createShutdown({ logger });
  const telemetry = await startTelemetry(config.telemetry, logger);
  shutdown.add('telemetry', () => telemetry.shutdown());
  const metrics = createMetrics('operator');
  const runtimeMetrics = prometheusMetrics(metrics);
  const base = await connectKube({ kubeconfig: config.kubeconfig, environment: process.env });
  shutdown.add('kube', () => base.close());
  const election = createLeaderElection({
    kube: base,
    namespace: config.namespace,
    name: config.shard === undefined ? 'millwright-operator' : `millwright-operator-${config.shard}`,
    identity: `${config.identity}-${process.pid}-${Date.now().toString(36)}`,
    logger,
    metrics: runtimeMetrics,
  });
  const cluster = watchCluster({
    kube: base,
    ...(config.watchNamespace === undefined ? {} : { namespace: config.watchNamespace }),
    ...(config.shard === undefined ? {} : { shard: config.shard }),
    logger,
    metrics: runtimeMetrics,
  });
  const reflectors = Object.values(cluster);
  exportReflectors(metrics, reflectors);
  const health = await startHealthServer({
    port: config.port,
    live: [watchAgeCheck(reflectors, WATCH_AGE_LIMIT_MS), loopLagCheck(LOOP_LAG_LIMIT_MS)],
    ready: [syncedCheck(reflectors)],
    metrics: () => metrics.text(),
    logger,
  });
  shutdown.add('health', () => health.close());
  for (const reflector of reflectors) void reflector.run(shutdown.signal);

  election.onLost((reason) => {
    logger.error('leadership lost, stopping at once', { reason });
    process.exit(1);
  });
  const campaign = election.run(shutdown.signal);
  shutdown.add('leadership', () => campaign);
  logger.info('waiting for leadership', { port: health.port });
  await Promise.race([election.acquired, campaign]);
  if (shutdown.signal.aborted) return;

  const broker = await connect({
    url: config.amqpUrl,
    name: `operator ${config.identity}`,
    topology: 'declare',
    mayPublish: () => election.writesAllowed(),
    log: (level, message, fields) => logger[level](message, fields),
    ...brokerMetrics(metrics),
  });
  shutdown.add('broker', () => broker.close());
  await waitForSync(reflectors, { signal: shutdown.signal });
  const operator = await startOperator({
    kube: base.guardedBy(election),
    broker,
    management: management(config.managementUrl, vhostOf(config.amqpUrl)),
    cluster,
    ...(config.watchNamespace === undefined ? {} : { watchNamespace: config.watchNamespace }),
    epoch: () => election.epoch,
    instance: config.identity,
    grants: { signingKey: config.signingKey, gatewayUrl: config.gatewayUrl, author: config.author },
    sandbox: config.sandbox,
    sandboxAmqpUrl: config.sandboxAmqpUrl,
    reachable: config.reachable,
    telemetry,
    logger,
    metrics: withReconcileSpans(runtimeMetrics, { telemetry, cluster }),
    taskMetrics: taskMetrics(metrics),
  });
  shutdown.add('controllers', () => operator.stop());
  exportCluster(metrics, cluster, operator);
  logger.info('leading', { epoch: election.epoch });
}

/** The virtual host of an AMQP URL; its path is the percent-encoded name, and no path means `/`. */
const vhostOf = (url: string): string => decodeURIComponent(new URL(url).pathname.slice(1)) || '/';

async function main([command, ...argv]: string[]): Promise<number | undefined> {
  if (command === '--help' || command === '-h') {
    console.log(USAGE);
    return 0;
  }
  if (command !== undefined && command !== 'dead-letters') {
    console.error(`unknown command "${command}"\n\n${USAGE}`);
    return 2;
  }
  if (command === 'dead-letters') return deadLettersCommand(argv, () => readConfig(process.env).amqpUrl);
  const config = readConfig(process.env);
  await run(config, createLogger({ level: config.logLevel, fields: { service: 'operator' } }));
  return undefined;
}

main(process.argv.slice(2)).then(
  (code) => {
    if (code !== undefined) process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof ConfigError ? error.message : error);
    process.exit(1);
  },
);
