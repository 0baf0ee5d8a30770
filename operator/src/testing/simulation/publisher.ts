import {
  type AgentTask,
  type EffectFailure,
  type EffectMessage,
  effectMessage,
  isFinished,
  reasons,
} from '@millwright/crds';
import type { Api } from './api.ts';
import type { Envelope, SimulatedBroker } from './broker.ts';
import type { Chance } from './chance.ts';
import type { Laws } from './laws.ts';
import type { Step } from './step.ts';

export interface PublisherOptions {
  api: Api;
  broker: SimulatedBroker;
  laws: Laws;
  chance: Chance;
  /** The forge fails for a while, and publishing takes its time. */
  mayFail: boolean;
  /** Effects may arrive twice. */
  mayRepeat: boolean;
  /** Asks whether an attempt goes on before it moves a branch: what a mutant leaves out. */
  asks: boolean;
}

/** Replicas: as many effects are in hand at once. */
const REPLICAS = 2;

/** An effect in hand, after what was done of it. `head`: what the branch pointed to when it was looked at. */
interface InHand {
  envelope: Envelope;
  effect: EffectMessage;
  state: 'taken' | 'looked' | 'asked';
  /** Its forge hangs: it comes back when it likes. */
  isSlow: boolean;
  head?: string | undefined;
}

/** The publishers and their forge: look at the branch, ask whether the attempt goes on, move the branch from where it was seen. */
export function createPublisher(options: PublisherOptions) {
  const { api, broker, laws, chance } = options;
  /** What branches of the forge point to. */
  const branches = new Map<string, string>();
  const inHand = new Set<InHand>();
  /** Tasks for which the forge has refused the credentials: once, since an hour of it would rightly be the end. */
  const refused = new Set<string>();

  function take(): void {
    const envelope = broker.effects.shift();
    if (!envelope) return;
    const effect = effectMessage.parse(envelope.body);
    laws.asked(effect.id, effect.task.uid, effect.attempt, effect.commit);
    if (options.mayRepeat && chance.unusual(8)) broker.effects.push({ ...envelope });
    inHand.add({ envelope, effect, state: 'taken', isSlow: options.mayFail && chance.unusual(3) });
  }

  function answer(hand: InHand, outcome: { ok: true } | { ok: false; failure: EffectFailure }): void {
    const { id, task, attempt, retry, branch, commit } = hand.effect;
    inHand.delete(hand);
    const more = outcome.ok ? { branch, commit } : { message: 'the forge is ill' };
    broker.answers.push({
      body: { type: 'effectResult', id, task, attempt, retry, ...outcome, ...more },
      userId: 'publisher',
    });
  }

  function fail(hand: InHand): void {
    const { uid } = hand.effect.task;
    const isRefusal = !refused.has(uid) && chance.unusual(3);
    if (isRefusal) refused.add(uid);
    answer(hand, { ok: false, failure: isRefusal ? 'credentials' : 'temporary' });
  }

  function look(hand: InHand): void {
    const { branch, commit } = hand.effect;
    hand.head = branches.get(branch);
    hand.state = 'looked';
    if (hand.head === commit) answer(hand, { ok: true });
  }

  function ask(hand: InHand): void {
    if (!options.asks || isWanted(hand.effect)) hand.state = 'asked';
    else inHand.delete(hand);
  }

  function isWanted({ task, attempt, commit }: EffectMessage): boolean {
    const found = api.get('AgentTask', `${task.namespace}/${task.name}`) as AgentTask | undefined;
    const { phase, reason, result, attempt: current = 0 } = found?.status ?? {};
    if (found?.metadata.uid !== task.uid || isFinished(phase) || current > attempt) return false;
    return reason !== reasons.Publishing || result?.commit === commit;
  }

  function push(hand: InHand): void {
    const { branch, commit, task, attempt } = hand.effect;
    if (branches.get(branch) !== hand.head) {
      hand.state = 'taken';
      return;
    }
    branches.set(branch, commit);
    laws.moved(branch, task.uid, attempt);
    answer(hand, { ok: true });
  }

  const next = { taken: look, looked: ask, asked: push };

  return {
    /** The connections were lost: what is in hand goes on, and is delivered again. */
    reconnect: () => void broker.effects.unshift(...[...inHand].map(({ envelope }) => envelope)),
    steps(): Step[] {
      const steps: Step[] = [];
      if (broker.effects.length > 0 && inHand.size < REPLICAS) steps.push({ what: 'a publisher takes', run: take });
      for (const hand of inHand) {
        const { state, effect, isSlow } = hand;
        if (isSlow && !chance.isOver && !chance.unusual(20)) continue;
        steps.push({ what: `a publisher is done with ${effect.id}: ${state}`, run: () => next[state](hand) });
        if (options.mayFail && !chance.isOver)
          steps.push({ what: `the forge fails ${effect.id}`, run: () => fail(hand) });
      }
      return steps;
    },
  };
}
