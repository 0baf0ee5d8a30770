import { type Broker, connect, targets, topology } from '@millwright/broker';
import { probeMessage, probeReply, revokeMessage } from '@millwright/crds';
import { createMetrics } from '@millwright/otel';
import { openProjects } from '../shared/lookup.ts';
import { type Running, runProcess, type Surroundings } from '../shared/process.ts';
import { listen } from '../shared/server.ts';
import { kubeTasks } from '../shared/tasks.ts';
import { createIsOver } from './attempts.ts';
import { type GitConfig, readGitConfig } from './config.ts';
import { createGitHost } from './host.ts';

const HOUR_MS = 60 * 60_000;
/** Probes at the same time; each is one short git program. */
const PROBES = 8;

async function start(config: GitConfig, { log, telemetry }: Surroundings): Promise<Running> {
  const projects = await openProjects(config.MILLWRIGHT_PROJECTS_FILE, process.env, 'read');
  let broker: Broker | undefined;
  const host = createGitHost(config, {
    lookup: projects.lookup,
    // Without a cluster, the message that an attempt has ended is all there is.
    isOver: projects.kube ? createIsOver({ read: kubeTasks(projects.kube), log }) : async () => false,
    metrics: createMetrics('git'),
    log,
    telemetry,
    missing: () => (broker?.connected ? [] : ['RabbitMQ']),
  });
  // Serves before RabbitMQ answers: sandboxes at work need their repository more than revocations do.
  const server = await listen(host.app, { port: config.MILLWRIGHT_HTTP_PORT, hostname: config.MILLWRIGHT_HTTP_HOST });
  broker = await connect({
    url: config.MILLWRIGHT_AMQP_URL,
    name: 'git',
    log: (level, message, fields) => log[level](message, fields),
  });
  await broker.subscribe([targets.revocations], revokeMessage, (delivery) => host.revocations.apply(delivery.message));
  const connected = broker;
  await connected.consume(
    topology.probes,
    probeMessage,
    async ({ message, replyTo, correlationId, ack }) => {
      const answer = await host.probe(message);
      if (replyTo !== undefined) await connected.reply(replyTo, probeReply, answer, { correlationId });
      ack();
    },
    { prefetch: PROBES },
  );
  const stopMaintenance = host.repeat(HOUR_MS);
  log.info('git host ready', { port: server.port });
  return {
    close: async () => {
      await server.close();
      await host.close();
      await stopMaintenance();
      await broker?.close();
      await projects.close();
    },
  };
}

await runProcess('git', readGitConfig, start);
