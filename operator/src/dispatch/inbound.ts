import { type Broker, type Delivery, PublishError, parsePoolUser, poolUser, targets } from '@millwright/broker';
import {
  type AgentTask,
  type ClaimMessage,
  controlMessage,
  dropMessage,
  type EffectResultMessage,
  type HeartbeatMessage,
  type HelloMessage,
  isFinished,
  type OperatorInbound,
  type ResultMessage,
  type TaskIdentity,
  welcomeMessage,
} from '@millwright/crds';
import type { Logger } from '@millwright/otel';
import type { TaskMemories } from '../agent-task/memory.ts';
import { isTooManyRequests, isUnanswered, KubeError } from '../runtime/errors.ts';
import { isFencedBy } from './fencing.ts';

export interface InboundOptions {
  broker: Broker;
  memories: TaskMemories;
  signingKey: string;
  logger: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Since when messages reach this process, in milliseconds since the epoch; undefined: they do not. */
  listeningSince: () => number | undefined;
  /** What has the name `<namespace>/<name>` in the cache. */
  cached: (key: string) => AgentTask | undefined;
  /** What has the task's name in the API server now; also refreshes the cache. */
  live: (task: TaskIdentity) => Promise<AgentTask | undefined>;
  /** What an agent that says hello is to consume; undefined: it is not wanted. */
  queuesFor: (hello: HelloMessage) => string[] | undefined;
  enqueue: (key: string) => void;
}

/** A claim is answered within moments; after this, it is asked first whether somebody still waits for the answer. */
const OLD_MS = 5_000;

/**
 * Until a message is looked at again that could not be judged because the API server or the broker was ill. Less than a result is waited for
 * once its pod has ended; and long enough that the broker, which counts, keeps a message for more than an hour.
 */
export const PAUSE_MS = 5_000;

const keyFor = (task: TaskIdentity): string => `${task.namespace}/${task.name}`;

/** Handlers of what the operator consumes. */
export interface Inbound {
  /** Of `millwright.results`. */
  fromAgents: (delivery: Delivery<OperatorInbound>) => Promise<void>;
  /** Of `millwright.answers`. */
  fromPublisher: (delivery: Delivery<EffectResultMessage>) => Promise<void>;
}

/**
 * Handles one message to the operator: proves it genuine, puts it into the inbox of its task and enqueues the task. It decides nothing else.
 * What is stale, foreign or about a task that does not exist is answered where somebody waits, and goes to the dead-letter queue.
 */
export function createInbound(options: InboundOptions): Inbound {
  const { broker, memories, signingKey, logger, now, listeningSince, cached, live, enqueue } = options;

  /** The task itself: one that was made anew under its name is another. */
  async function find(identity: TaskIdentity): Promise<AgentTask | undefined> {
    const isIt = (task: AgentTask | undefined) => (task?.metadata.uid === identity.uid ? task : undefined);
    return isIt(cached(keyFor(identity))) ?? isIt(await live(identity));
  }

  /** The cache may be a moment behind another leader's grant, so a token is refused only after a live read. */
  async function holds(
    message: ResultMessage | HeartbeatMessage,
    kinds: readonly ('run' | 'verify')[],
  ): Promise<boolean> {
    const proves = (task: AgentTask | undefined): boolean =>
      task?.metadata.uid === message.task.uid &&
      kinds.some((kind) => {
        const holder = kind === 'run' ? task.status?.agent : task.status?.verifier;
        const { attempt } = message;
        if (!holder || task.status?.attempt !== attempt) return false;
        return isFencedBy(
          message.token,
          { task: task.metadata.uid, attempt, kind, epoch: holder.epoch, pod: holder.pod },
          signingKey,
        );
      });
    return proves(cached(keyFor(message.task))) || proves(await live(message.task));
  }

  function stop(message: ResultMessage | HeartbeatMessage): void {
    const { task, attempt } = message;
    broker
      .publish(
        targets.agents(task.namespace),
        controlMessage,
        { type: 'cancel', task, attempt, reason: 'the attempt is not yours any more' },
        { mandatory: false },
      )
      .catch((error: unknown) =>
        logger.debug('could not stop a stale agent', { task: task.name, error: String(error) }),
      );
  }

  /** Whether a request may be from before a connection was lost, its agent's or ours. */
  function isOld({ redelivered, sentAt }: Delivery<OperatorInbound>): boolean {
    const heardFor = now() - (listeningSince() ?? now());
    return redelivered || heardFor < OLD_MS || now() - (sentAt ?? 0) >= OLD_MS;
  }

  async function hello(delivery: Delivery<OperatorInbound>, message: HelloMessage): Promise<void> {
    if (delivery.userId !== poolUser(message.namespace, message.agent.pool))
      return delivery.deadLetter(
        `foreign: user ${delivery.userId} says hello for pool ${message.namespace}/${message.agent.pool}`,
      );
    const queues = options.queuesFor(message);
    if (delivery.replyTo !== undefined)
      await broker
        .reply(
          delivery.replyTo,
          welcomeMessage,
          { type: 'welcome', queues: queues ?? [], drain: queues === undefined },
          { correlationId: delivery.correlationId },
        )
        .catch((error: unknown) =>
          logger.info('an agent did not wait for its welcome', { pod: message.agent.pod, error: String(error) }),
        );
    delivery.ack();
  }

  async function claim(delivery: Delivery<OperatorInbound>, message: ClaimMessage): Promise<void> {
    const { task: identity, attempt, agent } = message;
    if (delivery.userId !== poolUser(identity.namespace, agent.pool))
      return delivery.deadLetter(
        `foreign: user ${delivery.userId} claims for pool ${identity.namespace}/${agent.pool}`,
      );
    // Its agent would not hear the answer, and has asked again or is no more.
    if (delivery.replyTo !== undefined && isOld(delivery) && !(await broker.isWaiting(delivery.replyTo)))
      return delivery.ack();
    if (await find(identity)) {
      memories.addClaim(delivery, message, now());
      return enqueue(keyFor(identity));
    }
    if (delivery.replyTo !== undefined)
      await broker
        .reply(
          delivery.replyTo,
          dropMessage,
          { type: 'drop', task: identity, attempt, reason: 'the task does not exist any more' },
          { correlationId: delivery.correlationId },
        )
        .catch((error: unknown) =>
          logger.info('an agent did not wait for its answer', { pod: agent.pod, error: String(error) }),
        );
    delivery.ack();
  }

  async function heartbeat(delivery: Delivery<OperatorInbound>, message: HeartbeatMessage): Promise<void> {
    const key = keyFor(message.task);
    if (!(await holds(message, ['run', 'verify'])) || isFinished(cached(key)?.status?.phase)) stop(message);
    else memories.of(message.task).lastHeartbeatAt = now();
    delivery.ack();
  }

  async function result(delivery: Delivery<OperatorInbound>, message: ResultMessage): Promise<void> {
    if (!(await holds(message, [message.kind]))) {
      // The agent of a task that was deleted says goodbye, as it was told to.
      if (message.outcome === 'cancelled' && !(await find(message.task))) return delivery.ack();
      stop(message);
      return delivery.deadLetter(
        `stale or foreign: the token does not hold attempt ${message.attempt} of ${keyFor(message.task)}`,
      );
    }
    memories.addResult(delivery, message, now());
    enqueue(keyFor(message.task));
  }

  async function fromPublisher(delivery: Delivery<EffectResultMessage>): Promise<void> {
    const { message } = delivery;
    // Only the publisher may, whose user is no pool's; who gives no user could be anybody.
    if (delivery.userId === undefined || parsePoolUser(delivery.userId))
      return delivery.deadLetter(`foreign: user ${delivery.userId} answers an effect`);
    const task = await find(message.task);
    if (!task || task.status?.attempt !== message.attempt)
      return delivery.deadLetter(`stale: attempt ${message.attempt} of ${keyFor(message.task)} is over`);
    memories.addEffectResult(delivery, message, now());
    enqueue(keyFor(message.task));
  }

  function fromAgents(delivery: Delivery<OperatorInbound>): Promise<void> {
    const { message } = delivery;
    switch (message.type) {
      case 'hello':
        return hello(delivery, message);
      case 'claim':
        return claim(delivery, message);
      case 'heartbeat':
        return heartbeat(delivery, message);
      case 'result':
        return result(delivery, message);
    }
  }

  /** Thrown twice, an error costs the message, which is right for one that is itself at fault. */
  const patiently =
    <M>(handle: (delivery: Delivery<M>) => Promise<void>) =>
    async (delivery: Delivery<M>): Promise<void> => {
      try {
        await handle(delivery);
      } catch (error) {
        if (delivery.settled || !mayPass(error)) throw error;
        logger.warn('a message could not be judged and is looked at again', {
          messageId: delivery.messageId,
          error: String(error),
        });
        delivery.requeue(PAUSE_MS);
      }
    };

  return { fromAgents: patiently(fromAgents), fromPublisher: patiently(fromPublisher) };
}

/** Whether an error says nothing about the message: the API server is away, ill or sheds load, or nothing can be published. */
const mayPass = (error: unknown): boolean =>
  error instanceof PublishError ||
  isUnanswered(error) ||
  isTooManyRequests(error) ||
  (error instanceof KubeError && error.status >= 500);
