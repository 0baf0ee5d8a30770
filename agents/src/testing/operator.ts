/** A scripted operator: answers hellos and claims, and keeps what it hears. */
import { type Broker, connect, type Delivery, targets, topology } from '@millwright/broker';
import {
  type ClaimMessage,
  type ClaimReply,
  type ControlMessage,
  claimReply,
  controlMessage,
  type EventMessage,
  eventMessage,
  type OperatorInbound,
  operatorInbound,
  type ResultMessage,
  welcomeMessage,
} from '@millwright/crds';

export interface TestOperator {
  broker: Broker;
  /** What hellos are answered with. */
  welcome: { queues: string[]; drain: boolean };
  /** Answers a claim; undefined: it is not answered. */
  decide: (claim: ClaimMessage) => ClaimReply | undefined;
  /** Awaited before a claim is answered. */
  before: (claim: ClaimMessage) => Promise<void>;
  /** While true, hellos are not answered. */
  silent: boolean;
  hellos: number;
  claims: ClaimMessage[];
  heartbeats: number;
  results: ResultMessage[];
  events: EventMessage[];
  /** Trace contexts of results and claims, by the task's uid. */
  traceparents: Map<string, string | undefined>;
  claimTraceparents: Map<string, string | undefined>;
  control(message: ControlMessage): Promise<void>;
  /** The result of a task, as soon as it is there. */
  resultOf(taskUid: string): Promise<ResultMessage>;
  /** Resolves as soon as `condition` holds after some message. */
  until(condition: () => boolean): Promise<void>;
}

export async function startOperator(url: string): Promise<TestOperator> {
  const broker = await connect({ url, name: 'test operator', topology: 'declare' });
  const waiting = new Set<() => void>();
  const heard = () => {
    for (const check of [...waiting]) check();
  };

  const operator: TestOperator = {
    broker,
    welcome: { queues: [], drain: false },
    decide: () => undefined,
    before: async () => undefined,
    silent: false,
    hellos: 0,
    claims: [],
    heartbeats: 0,
    results: [],
    events: [],
    traceparents: new Map(),
    claimTraceparents: new Map(),
    control: (message) =>
      broker.publish(
        targets.agents('namespace' in message ? message.namespace : message.task.namespace),
        controlMessage,
        message,
        { mandatory: false },
      ),
    async resultOf(taskUid) {
      const find = () => operator.results.find(({ task }) => task.uid === taskUid);
      await operator.until(() => find() !== undefined);
      const found = find();
      if (found === undefined) throw new Error('unreachable');
      return found;
    },
    until(condition) {
      return new Promise((resolve) => {
        const check = () => {
          if (!condition()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      });
    },
  };

  async function inbound(delivery: Delivery<OperatorInbound>): Promise<void> {
    const { message, replyTo, correlationId, traceparent } = delivery;
    if (message.type === 'hello') {
      operator.hellos += 1;
      if (replyTo && !operator.silent)
        await broker.reply(replyTo, welcomeMessage, { type: 'welcome', ...operator.welcome }, { correlationId });
    }
    if (message.type === 'claim') {
      operator.claims.push(message);
      operator.claimTraceparents.set(message.task.uid, traceparent);
      await operator.before(message);
      const answer = operator.decide(message);
      if (answer && replyTo) await broker.reply(replyTo, claimReply, answer, { correlationId });
    }
    if (message.type === 'heartbeat') operator.heartbeats += 1;
    if (message.type === 'result') {
      operator.results.push(message);
      operator.traceparents.set(message.task.uid, traceparent);
    }
    delivery.ack();
    heard();
  }

  await broker.consume('millwright.results', operatorInbound, inbound, { prefetch: 100 });
  await broker.subscribe([{ exchange: topology.events, routingKey: '#' }], eventMessage, (delivery) => {
    operator.events.push(delivery.message);
    heard();
  });
  return operator;
}
