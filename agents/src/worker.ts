/** The life of an agent on the broker: says hello, waits for work, claims it, does one task, ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Broker, type Delivery, messageOf, targets } from '@millwright/broker';
import {
  type ControlMessage,
  claimMessage,
  claimReply,
  controlMessage,
  type GrantMessage,
  helloMessage,
  type WorkMessage,
  welcomeMessage,
} from '@millwright/crds';
import type { Logger } from '@millwright/otel';
import { InterruptedError } from './errors.ts';
import type { AttemptSpans } from './spans.ts';
import { createSubscriptions } from './subscriptions.ts';

interface Identity {
  namespace: string;
  pool: string;
  pod: string;
  /** Workspace image of the sandbox. */
  image: string;
}

/** How a work message came, for the trace. */
export interface Received {
  queue: string;
  messageId: string | undefined;
  traceparent: string | undefined;
}

export interface WorkerOptions {
  broker: Pick<Broker, 'consume' | 'subscribe' | 'request' | 'closed'>;
  identity: Identity;
  /** Begins the spans of an attempt that was delivered. */
  trace: (work: WorkMessage, received: Received) => AttemptSpans;
  /** Does the work of a grant and reports its end. */
  execute: (grant: GrantMessage, spans: AttemptSpans, interrupt: AbortSignal) => Promise<void>;
  /** Aborted with an InterruptedError when the sandbox is to end. */
  stop: AbortSignal;
  /** Aborted when the workspace is lost. */
  workspaceLost: AbortSignal;
  /** Called with every welcome. */
  onReady?: () => void;
  logger: Logger;
  /** All in milliseconds. */
  timing?: Partial<Timing>;
}

interface Timing {
  /** How long a claim waits for its answer. */
  claimTimeoutMs: number;
  /** Delay before a delivery whose claim was not answered comes again. */
  claimRetryMs: number;
  helloTimeoutMs: number;
  /** Upper bound of the random pause between two hellos that are not answered. */
  helloPauseMs: number;
}

const defaults: Timing = { claimTimeoutMs: 30_000, claimRetryMs: 5_000, helloTimeoutMs: 5_000, helloPauseMs: 2_000 };

/** Why a worker ended: one task is done, it is not wanted any more, it was told to stop, or it cannot work. */
export type WorkerEnd = 'finished' | 'drained' | 'stopped' | 'workspaceLost' | 'brokerLost';

/** Works until one of the reasons to end. Never rejects. */
export function work(options: WorkerOptions): Promise<WorkerEnd> {
  const { broker, identity, trace, execute, stop, workspaceLost, logger } = options;
  const timing = { ...defaults, ...options.timing };
  const { namespace, pool, pod, image } = identity;
  const agent = { pool, pod };

  let state: 'idle' | 'claiming' | 'busy' | 'ended' = 'idle';
  let draining = false;
  let current: { grant: GrantMessage; cancel: AbortController } | undefined;
  /** The attempt that is being claimed, and why it was cancelled meanwhile. */
  let claiming: { key: string; cancelled?: string } | undefined;
  const arrived: Delivery<WorkMessage>[] = [];
  const { promise: end, resolve: resolveEnd } = Promise.withResolvers<WorkerEnd>();
  const subscriptions = createSubscriptions({
    broker,
    logger,
    onDelivery(delivery) {
      arrived.push(delivery);
      void takeArrived();
    },
    onRefused: () => setTimeout(greet, timing.helloPauseMs).unref(),
  });

  function finish(reason: WorkerEnd): void {
    if (state === 'ended') return;
    state = 'ended';
    for (const delivery of arrived.splice(0)) delivery.requeue();
    void subscriptions.close();
    resolveEnd(reason);
  }

  /** Ends unless an attempt is under way, which ends the worker itself. */
  function finishIdle(reason: WorkerEnd): void {
    if (state === 'idle') finish(reason);
  }

  // --- what to consume

  let greeting = false;
  async function greet(): Promise<void> {
    if (greeting) return;
    greeting = true;
    while (state === 'idle' || state === 'claiming') {
      const target = targets.results;
      const hello = { type: 'hello', namespace, agent, image } as const;
      try {
        const welcome = await broker.request(target, helloMessage, hello, welcomeMessage, {
          timeoutMs: timing.helloTimeoutMs,
        });
        options.onReady?.();
        if (welcome.drain) drain();
        else subscriptions.set(welcome.queues);
        break;
      } catch (error) {
        logger.debug('no operator has answered yet', { error: messageOf(error) });
        await sleep(Math.random() * timing.helloPauseMs);
      }
    }
    greeting = false;
  }

  function drain(): void {
    draining = true;
    finishIdle('drained');
  }

  function control(message: ControlMessage): void {
    const mine = 'pool' in message && message.namespace === namespace && message.pool === pool;
    if (message.type === 'queues' && mine && message.image === image) {
      subscriptions.set(message.queues);
    } else if (message.type === 'drain' && mine && (message.pod === undefined || message.pod === pod)) {
      drain();
    } else if (message.type === 'cancel') {
      const key = attemptKey(message);
      if (claiming?.key === key) claiming.cancelled = message.reason;
      if (current && attemptKey(current.grant) === key)
        current.cancel.abort(new InterruptedError('cancel', message.reason));
    }
  }

  // --- one delivery after the other

  async function takeArrived(): Promise<void> {
    if (state !== 'idle') return;
    for (let delivery = arrived.shift(); delivery !== undefined; delivery = arrived.shift()) {
      state = 'claiming';
      const { message, queue, messageId, traceparent } = delivery;
      claiming = { key: attemptKey(message) };
      const spans = trace(message, { queue, messageId, traceparent });
      const grant = await claim(delivery, spans);
      if (grant !== undefined) return await begin(grant, delivery, spans);
      claiming = undefined;
      state = 'idle';
      if (stop.aborted) return finish('stopped');
      if (draining) return finish('drained');
    }
  }

  /** Asks for an attempt; settles the delivery unless it is granted. */
  async function claim(delivery: Delivery<WorkMessage>, spans: AttemptSpans): Promise<GrantMessage | undefined> {
    const { kind, task, attempt } = delivery.message;
    try {
      const claimed = { type: 'claim', kind, task, attempt, agent } as const;
      const answer = await broker.request(targets.results, claimMessage, claimed, claimReply, {
        timeoutMs: timing.claimTimeoutMs,
        ...spans.claim,
      });
      if (answer.type === 'grant' && answer.kind === kind && attemptKey(answer) === attemptKey(delivery.message))
        return answer;
      logger.info('the claim was dropped', {
        task: task.name,
        attempt,
        reason: answer.type === 'drop' ? answer.reason : 'the grant is for another attempt',
      });
      delivery.ack();
    } catch (error) {
      logger.warn('the claim was not answered', { task: task.name, attempt, error: messageOf(error) });
      delivery.requeue(timing.claimRetryMs);
    }
    return undefined;
  }

  async function begin(grant: GrantMessage, delivery: Delivery<WorkMessage>, spans: AttemptSpans): Promise<void> {
    state = 'busy';
    const cancel = new AbortController();
    current = { grant, cancel };
    const reason = claiming?.cancelled;
    claiming = undefined;
    if (reason !== undefined) cancel.abort(new InterruptedError('cancel', reason));
    delivery.ack();
    spans.granted();
    for (const other of arrived.splice(0)) other.requeue();
    void subscriptions.close();
    await execute(grant, spans, AbortSignal.any([stop, cancel.signal]));
    finish('finished');
  }

  onAbort(stop, () => finishIdle('stopped'));
  onAbort(workspaceLost, () => finishIdle('workspaceLost'));
  void broker.closed.then(() => finishIdle('brokerLost'));
  // Subscribed first, so that no change is missed that comes after the answer to hello; again after every reconnect.
  broker
    .subscribe([targets.agents(namespace)], controlMessage, (delivery) => control(delivery.message), {
      onSubscribed: () => void greet(),
    })
    .catch((error: unknown) => {
      logger.error('what is said to agents cannot be heard', { error: messageOf(error) });
      finish('brokerLost');
    });
  return end;
}

const attemptKey = ({ task, attempt }: { task: { uid: string }; attempt: number }): string => `${task.uid}:${attempt}`;

function onAbort(signal: AbortSignal, then: () => void): void {
  if (signal.aborted) queueMicrotask(then);
  else signal.addEventListener('abort', then, { once: true });
}
