import { setTimeout as sleep } from 'node:timers/promises';
import { type Broker, connect, topology } from '@millwright/broker';
import { effectMessage } from '@millwright/crds';
import { brokerMetrics, createMetrics } from '@millwright/otel';
import { Hono } from 'hono';
import { createFence } from '../fence/fence.ts';
import { addHealth } from '../shared/health.ts';
import { openProjects } from '../shared/lookup.ts';
import { type Running, runProcess, type Surroundings } from '../shared/process.ts';
import { withForgeCredentials } from '../shared/projects.ts';
import { listen } from '../shared/server.ts';
import { kubeTasks } from '../shared/tasks.ts';
import { type PublisherConfig, readPublisherConfig } from './config.ts';
import { effectHandler } from './effects.ts';
import { publishBranch, taskWants } from './publish-branch.ts';

/** Effects in hand: one of each project, and those that wait a moment for their turn. */
const PREFETCH = 64;

async function start(config: PublisherConfig, { log, telemetry }: Surroundings): Promise<Running> {
  const projects = await openProjects(config.MILLWRIGHT_PROJECTS_FILE, process.env, 'push');
  const metrics = createMetrics('publisher');
  let broker: Broker | undefined;
  const app = new Hono();
  addHealth(app, { metrics, missing: () => (broker?.connected ? [] : ['RabbitMQ']) });
  const server = await listen(app, { port: config.MILLWRIGHT_HTTP_PORT, hostname: config.MILLWRIGHT_HTTP_HOST });
  broker = await connect({
    url: config.MILLWRIGHT_AMQP_URL,
    name: 'publisher',
    log: (level, message, fields) => log[level](message, fields),
    ...brokerMetrics(metrics),
  });
  const fence = createFence();
  const options = {
    fence,
    lookup: withForgeCredentials(projects.lookup, config.MILLWRIGHT_FORGE_CREDENTIALS_FILE),
    // Without a cluster there is nobody to ask.
    isWanted: projects.kube ? taskWants(kubeTasks(projects.kube)) : async () => true,
    gitUrls: config.MILLWRIGHT_GIT_URL,
    signingKey: config.MILLWRIGHT_SIGNING_KEY,
    workDir: config.MILLWRIGHT_WORK_DIR,
  };
  const underWay = new Set<Promise<void>>();
  const handle = effectHandler({
    broker,
    perform: (effect) => publishBranch(effect, options),
    log,
    metrics,
    telemetry,
  });
  const consumer = await broker.consume(
    topology.effects,
    effectMessage,
    async (delivery) => {
      const work = handle(delivery);
      underWay.add(work);
      await work.finally(() => underWay.delete(work));
    },
    { prefetch: PREFETCH },
  );
  log.info('publisher ready', { port: server.port });
  return {
    close: async () => {
      await consumer.cancel();
      await Promise.race([Promise.allSettled(underWay), sleep(15_000)]);
      await fence.close();
      await broker?.close();
      await server.close(0);
      await projects.close();
    },
  };
}

await runProcess('publisher', readPublisherConfig, start);
