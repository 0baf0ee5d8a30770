import { connect } from '@millwright/broker';
import { brokerMetrics, createMetrics } from '@millwright/otel';
import { createStore } from '@millwright/supabase';
import { Hono } from 'hono';
import { addHealth } from '../shared/health.ts';
import { type Running, runProcess, type Surroundings } from '../shared/process.ts';
import { listen } from '../shared/server.ts';
import { type RecorderConfig, readRecorderConfig } from './config.ts';
import { createRecorder } from './recorder.ts';
import { startRetention } from './retention.ts';

async function start(config: RecorderConfig, { log }: Surroundings): Promise<Running> {
  const metrics = createMetrics('recorder');
  const missing = new Set(['RabbitMQ', 'Postgres']);
  const app = new Hono();
  addHealth(app, { metrics, missing: () => [...missing] });
  // Serves before anything else answers, so that readiness says what is waited for.
  const server = await listen(app, { port: config.MILLWRIGHT_HTTP_PORT, hostname: config.MILLWRIGHT_HTTP_HOST });
  const broker = await connect({
    url: config.MILLWRIGHT_AMQP_URL,
    name: 'recorder',
    log: (level, message, fields) => log[level](message, fields),
    ...brokerMetrics(metrics),
  });
  if (broker.connected) missing.delete('RabbitMQ');
  broker.onStateChange((state) => {
    if (state === 'disconnected') missing.add('RabbitMQ');
    else missing.delete('RabbitMQ');
  });
  const store = createStore({ url: config.MILLWRIGHT_SUPABASE_URL, key: config.MILLWRIGHT_SUPABASE_KEY });
  const retention = startRetention({ store, retentionMs: config.MILLWRIGHT_EVENT_RETENTION_DAYS * 86_400_000, log });
  const recorder = createRecorder({
    broker,
    store,
    metrics,
    log,
    batchSize: config.MILLWRIGHT_RECORDER_BATCH_SIZE,
    batchWaitMs: config.MILLWRIGHT_RECORDER_BATCH_WAIT_MS,
    onStoreChange: (answers) => (answers ? missing.delete('Postgres') : missing.add('Postgres')),
  });
  // Both end only when RabbitMQ refuses us for good: a restart shows that, and helps when the cause is gone.
  const failed = Promise.race([recorder.ended, broker.closed]).then((error) => {
    if (error) throw error;
  });
  failed.catch((error: unknown) => {
    log.error('cannot go on', { error });
    process.exit(1);
  });
  log.info('recorder started', { port: server.port });
  return {
    close: async () => {
      await retention.close();
      await recorder.close();
      await broker.close();
      await server.close();
    },
  };
}

await runProcess('recorder', readRecorderConfig, start);
