/** Puts the parts of an agent together. */
import { connect, topology } from '@millwright/broker';
import type { GrantMessage } from '@millwright/crds';
import { loadCore } from '@millwright/native-wasm';
import { createLogger, startTelemetry, telemetryConfig } from '@millwright/otel';
import { runAttempt } from './attempt.ts';
import type { Config } from './config.ts';
import { engines } from './engines/index.ts';
import { createEvents } from './events.ts';
import { startHealth } from './health.ts';
import { report, resultId, startHeartbeat } from './report.ts';
import { type AttemptSpans, createSpans } from './spans.ts';
import { work } from './worker.ts';
import { connectWorkspace } from './workspace/client.ts';

const HEARTBEAT_MS = 10_000;

/**
 * Runs one agent to its end.
 * @param stop aborted with an InterruptedError when the sandbox is to end
 * @returns the exit code: 0 unless the sandbox itself is broken
 * @throws the reason of `stop` when that comes before the agent is connected, and what keeps it from connecting
 */
export async function runAgent(config: Config, stop: AbortSignal): Promise<number> {
  const identity = {
    namespace: config.MILLWRIGHT_NAMESPACE,
    pool: config.MILLWRIGHT_POOL,
    pod: config.MILLWRIGHT_POD,
    image: config.MILLWRIGHT_WORKSPACE_IMAGE,
  };
  const { pool, pod } = identity;
  const logger = createLogger({ level: config.MILLWRIGHT_LOG_LEVEL, fields: { pool, pod } });
  const telemetry = await startTelemetry(
    telemetryConfig(config, { serviceName: 'millwright-agent', instanceId: pod }),
    logger,
  );
  const welcomed = Promise.withResolvers<void>();
  // While it waits for work: what then fails fails again, where it is needed.
  void welcomed.promise.then(loadCore).catch(() => undefined);
  const { MILLWRIGHT_HTTP_FD: fd, MILLWRIGHT_HTTP_PORT: port } = config;
  const health = await startHealth({ listen: fd === undefined ? { port } : { fd }, ready: welcomed.promise });
  const workspace = await unlessAborted(
    stop,
    connectWorkspace({
      socket: config.MILLWRIGHT_WORKSPACE_SOCKET,
      timeoutMs: config.MILLWRIGHT_WORKSPACE_TIMEOUT_SECONDS * 1000,
    }),
  );
  const broker = await unlessAborted(
    stop,
    connect({
      url: config.MILLWRIGHT_AMQP_URL,
      name: `agent ${pod}`,
      topology: 'assume',
      log: (level, message, fields) => logger[level](message, fields),
    }),
  );

  async function execute(grant: GrantMessage, spans: AttemptSpans, interrupt: AbortSignal): Promise<void> {
    const { task, attempt, kind } = grant;
    const log = logger.child({ task: task.name, attempt, kind });
    log.info('granted');
    const events = createEvents(broker, grant, spans.traceparent);
    const stopHeartbeat = startHeartbeat(broker, grant, HEARTBEAT_MS);
    const engine = engines[config.MILLWRIGHT_ENGINE];
    const result = await runAttempt({ core: await loadCore(), grant, workspace, engine, events, spans, interrupt });
    log.info('ended', { outcome: result.outcome, reason: result.reason, message: result.message });
    const confirmed = await spans.send({ destination: topology.results, messageId: resultId(result) }, (context) =>
      report(broker, result, context, log),
    );
    stopHeartbeat();
    if (!confirmed) log.error('the result could not be delivered: the broker is gone for good');
  }

  const end = await work({
    broker,
    identity,
    trace: (message, received) => createSpans(telemetry, message, { pool, pod, ...received }, received.traceparent),
    execute,
    stop,
    workspaceLost: workspace.lost,
    onReady: welcomed.resolve,
    logger,
  });
  logger.info('the agent ends', { end });
  await Promise.all([workspace.shutdown(), broker.close(), telemetry.shutdown()]);
  health.close();
  return end === 'workspaceLost' || end === 'brokerLost' ? 1 : 0;
}

/** @throws the signal's reason when it is aborted before `promise` settles */
function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
