import { randomBytes } from 'node:crypto';
import {
  type Broker,
  ClosedError,
  ConnectionLostError,
  type Consumer,
  connect,
  type Delivery,
  RequestTimeoutError,
  targets,
} from '@millwright/broker';
import {
  type ClaimReply,
  type ControlMessage,
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
  /** What comes of a granted attempt; undefined: the agent dies without a word. `signal` aborts when the attempt is cancelled. */
  perform?: (grant: GrantMessage, signal: AbortSignal) => Promise<AgentAnswer | undefined> | AgentAnswer | undefined;
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
  const id = randomBytes(3).toString('hex');
  /** One pod per piece of work, as in a sandbox: after a lost connection it asks again under its own name, and it works once. */
  const claiming = new Set<string>();
  const granted = new Map<string, AbortController>();

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
    const { kind, task, attempt } = delivery.message;
    const pod = `plain-${pool}-${id}-${task.uid.slice(0, 8)}-${attempt}-${kind}`;
    if (claiming.has(pod) || granted.has(pod)) return delivery.ack();
    options.onDelivery?.(delivery.message, performance.now());
    claiming.add(pod);
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
    } finally {
      claiming.delete(pod);
    }
    delivery.ack();
    if (reply.type !== 'grant') return;
    const cancelled = new AbortController();
    granted.set(pod, cancelled);
    await work(reply, cancelled.signal);
  }

  async function work(grant: GrantMessage, signal: AbortSignal): Promise<void> {
    options.onGrant?.(grant, performance.now());
    const startedAt = new Date().toISOString();
    const answer = options.perform ? await options.perform(grant, signal) : {};
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
        if (!(error instanceof ConnectionLostError)) throw error;
      }
    }
  }

  function control(message: ControlMessage): void {
    if (message.type === 'cancel') {
      const end = `-${message.task.uid.slice(0, 8)}-${message.attempt}-`;
      for (const [pod, cancelled] of granted) if (pod.includes(end)) cancelled.abort();
    }
    if (message.type !== 'queues' || message.namespace !== namespace || message.pool !== pool) return;
    if (message.image === image) void consume(message.queues);
  }

  async function hello(): Promise<void> {
    for (;;) {
      try {
        const welcome = await broker.request(
          targets.results,
          helloMessage,
          { type: 'hello', namespace, agent: { pool, pod: `plain-${pool}-${id}` }, image },
          welcomeMessage,
          { timeoutMs: 5_000 },
        );
        return await consume(welcome.queues);
      } catch (error) {
        if (error instanceof ClosedError) return;
        if (!(error instanceof RequestTimeoutError || error instanceof ConnectionLostError)) throw error;
      }
    }
  }

  await broker.subscribe([targets.agents(namespace)], controlMessage, ({ message }) => control(message), {
    // What was announced meanwhile is not known.
    onSubscribed: (again) => {
      if (again) void hello();
    },
  });
  await hello();
  return { broker, close: () => broker.close() };
}
