import { type Broker, type Consumer, connect, type Delivery, targets } from '@millwright/broker';
import {
  type ClaimReply,
  claimMessage,
  claimReply,
  controlMessage,
  type GrantMessage,
  helloMessage,
  type ResultMessage,
  resultMessage,
  type WorkMessage,
  welcomeMessage,
  workMessage,
} from '@millwright/crds';

export interface PlainAgentsOptions {
  /** With the user of the pool. */
  amqpUrl: string;
  namespace: string;
  pool: string;
  /** Workspace image they pretend to run; part of the work queues' identity. */
  image: string;
  /** Deliveries at work at the same time. */
  concurrency: number;
  /** What comes of a granted attempt; undefined: the agent dies without a word. */
  perform?: (grant: GrantMessage) => Promise<AgentAnswer | undefined> | AgentAnswer | undefined;
  onDelivery?: (work: WorkMessage, at: number) => void;
  onGrant?: (grant: GrantMessage, at: number) => void;
  onResult?: (grant: GrantMessage, at: number) => void;
}

export type AgentAnswer = Partial<
  Pick<ResultMessage, 'outcome' | 'class' | 'reason' | 'message' | 'commit' | 'base' | 'tests'>
>;

export interface PlainAgents {
  broker: Broker;
  close(): Promise<void>;
}

/** Agents without a sandbox: they claim what they are delivered and answer at once. For tests and benchmarks of what surrounds the work. */
export async function startPlainAgents(options: PlainAgentsOptions): Promise<PlainAgents> {
  const { namespace, pool, image } = options;
  const broker = await connect({ url: options.amqpUrl, name: `plain agents ${namespace}/${pool}`, topology: 'assume' });
  const consumers = new Map<string, Consumer>();
  let pods = 0;

  async function consume(queues: readonly string[]): Promise<void> {
    await Promise.all(
      queues
        .filter((queue) => !consumers.has(queue))
        .map(async (queue) => {
          consumers.set(queue, { cancel: async () => undefined });
          consumers.set(queue, await broker.consume(queue, workMessage, handle, { prefetch: options.concurrency }));
        }),
    );
  }

  async function handle(delivery: Delivery<WorkMessage>): Promise<void> {
    const { message } = delivery;
    options.onDelivery?.(message, performance.now());
    const pod = `plain-${pool}-${++pods}`;
    const { kind, task, attempt } = message;
    let reply: ClaimReply;
    try {
      reply = await broker.request(
        targets.results,
        claimMessage,
        { type: 'claim', kind, task, attempt, agent: { pool, pod } },
        claimReply,
        { timeoutMs: 30_000 },
      );
    } catch {
      return delivery.requeue();
    }
    delivery.ack();
    if (reply.type === 'grant') await work(reply);
  }

  async function work(grant: GrantMessage): Promise<void> {
    options.onGrant?.(grant, performance.now());
    const startedAt = new Date().toISOString();
    const answer = options.perform ? await options.perform(grant) : {};
    if (!answer) return;
    const { kind, task, attempt, token } = grant;
    const result: ResultMessage = {
      type: 'result',
      kind,
      task,
      attempt,
      token,
      outcome: 'succeeded',
      ...answer,
      startedAt,
      finishedAt: new Date().toISOString(),
    };
    options.onResult?.(grant, performance.now());
    // A lost confirmation says nothing: a result may arrive twice, but not never.
    for (;;) {
      try {
        return await broker.publish(targets.results, resultMessage, result);
      } catch (error) {
        if (!broker.connected || (error as Error).name === 'ConnectionLostError') continue;
        throw error;
      }
    }
  }

  await broker.subscribeFanout(controlMessage, (delivery) => {
    const { message } = delivery;
    if (
      message.type === 'queues' &&
      message.namespace === namespace &&
      message.pool === pool &&
      message.image === image
    )
      void consume(message.queues);
  });
  for (;;) {
    try {
      const welcome = await broker.request(
        targets.results,
        helloMessage,
        { type: 'hello', namespace, agent: { pool, pod: `plain-${pool}` }, image },
        welcomeMessage,
        { timeoutMs: 5_000 },
      );
      await consume(welcome.queues);
      break;
    } catch (error) {
      if ((error as Error).name !== 'RequestTimeoutError') throw error;
    }
  }
  return { broker, close: () => broker.close() };
}
