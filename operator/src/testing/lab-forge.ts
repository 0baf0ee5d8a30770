import { type Broker, targets, topology } from '@millwright/broker';
import {
  type EffectMessage,
  type EffectResultMessage,
  effectMessage,
  effectResultMessage,
  probeMessage,
  probeReply,
} from '@millwright/crds';

type Failure = Pick<EffectResultMessage, 'failure' | 'message'>;

/** Stands in for the publisher and a git host, of which the operator sees the answers only. */
export interface Forge {
  /** What the publisher was asked for, in order. */
  effects: EffectMessage[];
  /** What the forge says to the next effects of a Workflow, one after the other; it takes those after them, and all others. */
  forgeSays(workflow: string, ...failures: Failure[]): void;
  /** Projects whose repository a git host was asked for, which can always be read. */
  probed: string[];
}

export async function standInForForge(broker: Broker): Promise<Forge> {
  const effects: EffectMessage[] = [];
  const failures = new Map<string, Failure[]>();
  const probed: string[] = [];
  await broker.consume(
    topology.effects,
    effectMessage,
    async (delivery) => {
      const { id, task, attempt, retry, branch, commit } = delivery.message;
      effects.push(delivery.message);
      const failure = failures.get(branch.split('/')[2] ?? '')?.shift();
      await broker.publish(targets.answers, effectResultMessage, {
        type: 'effectResult',
        id,
        task,
        attempt,
        retry,
        ...(failure ? { ok: false, ...failure } : { ok: true, branch, commit }),
      });
      delivery.ack();
    },
    { prefetch: 100 },
  );
  await broker.consume(
    topology.probes,
    probeMessage,
    async ({ message, replyTo, correlationId, ack }) => {
      probed.push(message.project);
      const answer = { type: 'probed', status: 'True', reason: 'Reachable', message: '' } as const;
      await broker.reply(replyTo ?? '', probeReply, answer, { correlationId });
      ack();
    },
    { prefetch: 100 },
  );
  return { effects, probed, forgeSays: (workflow, ...said) => void failures.set(workflow, said) };
}
