import type { Delivery } from '@millwright/broker';
import type { ClaimMessage, EffectResultMessage, ResultMessage, TaskIdentity } from '@millwright/crds';
import type { Sendings } from '../message-spans.ts';
import type { PublishedWork, TaskInbox, Unsettled } from './observation.ts';

interface Held<M> extends Unsettled<M> {
  delivery: Delivery<unknown>;
}

/** A message that had its effect. */
export type HandledMessage = Held<ClaimMessage | ResultMessage | EffectResultMessage>;

/** What this process keeps about one task between passes. All of it can be lost: messages are redelivered, the rest is derived anew. */
export interface TaskMemory {
  readonly uid: string;
  claims: Held<ClaimMessage>[];
  runResult?: Held<ResultMessage>;
  verifyResult?: Held<ResultMessage>;
  effectResult?: Held<EffectResultMessage>;
  published: { work?: PublishedWork; effect?: { attempt: number; at: number } };
  /** For the trace only. */
  sendings: Sendings;
  lastHeartbeatAt?: number;
  cancelSentAt?: number;
  /** First sight of the holder's end, and whether a live read agreed. */
  gone?: { pod: string; since: number; confirmed: boolean };
}

/** Of the same pool, too, since a pool's user may name any pod. */
const isSameQuestion = (a: ClaimMessage, b: ClaimMessage): boolean =>
  a.agent.pod === b.agent.pod && a.agent.pool === b.agent.pool && a.kind === b.kind && a.attempt === b.attempt;

const keyFor = ({ namespace, name }: TaskIdentity): string => `${namespace}/${name}`;

/**
 * Memories of tasks. A name may be given to another task while this process still holds messages about the one before, so each memory
 * is that of one uid; under the name they are only found, to be forgotten.
 */
export class TaskMemories {
  readonly #memories = new Map<string, TaskMemory[]>();
  readonly #onSettled: (held: HandledMessage) => void;
  #nextId = 1;

  /** @param onSettled called for each claim that was granted, and for each result whose consequence has been written */
  constructor(onSettled: (held: HandledMessage) => void = () => {}) {
    this.#onSettled = onSettled;
  }

  of(task: TaskIdentity): TaskMemory {
    const known = this.peek(task);
    if (known) return known;
    const memory: TaskMemory = { uid: task.uid, claims: [], published: {}, sendings: {} };
    const key = keyFor(task);
    this.#memories.set(key, [...(this.#memories.get(key) ?? []), memory]);
    return memory;
  }

  peek(task: TaskIdentity): TaskMemory | undefined {
    return this.#memories.get(keyFor(task))?.find(({ uid }) => uid === task.uid);
  }

  /**
   * An agent waits for one answer at a time. Of its questions the one that was sent last stays, and the other is settled: no more is held than
   * there are agents.
   */
  addClaim(delivery: Delivery<unknown>, message: ClaimMessage, now: number): void {
    const memory = this.of(message.task);
    const before = memory.claims.find((claim) => isSameQuestion(claim.message, message));
    if (before && (before.delivery.sentAt ?? 0) > (delivery.sentAt ?? 0)) {
      delivery.ack();
      return;
    }
    before?.delivery.ack();
    memory.claims = memory.claims.filter((claim) => claim !== before);
    memory.claims.push({ id: this.#nextId++, delivery, message, receivedAt: now });
  }

  /** A second copy of a result replaces the first, which is settled: it says the same. */
  addResult(delivery: Delivery<unknown>, message: ResultMessage, now: number): void {
    const slot = message.kind === 'run' ? 'runResult' : 'verifyResult';
    const memory = this.of(message.task);
    memory[slot]?.delivery.ack();
    memory[slot] = { id: this.#nextId++, delivery, message, receivedAt: now };
  }

  addEffectResult(delivery: Delivery<unknown>, message: EffectResultMessage, now: number): void {
    const memory = this.of(message.task);
    memory.effectResult?.delivery.ack();
    memory.effectResult = { id: this.#nextId++, delivery, message, receivedAt: now };
  }

  inbox(task: TaskIdentity): TaskInbox {
    const memory = this.peek(task);
    if (!memory) return { claims: [] };
    const { claims, runResult, verifyResult, effectResult } = memory;
    return {
      claims,
      ...(runResult ? { runResult } : {}),
      ...(verifyResult ? { verifyResult } : {}),
      ...(effectResult ? { effectResult } : {}),
    };
  }

  /** A claim of the inbox, which stays there. */
  claim(task: TaskIdentity, id: number): Held<ClaimMessage> | undefined {
    return this.peek(task)?.claims.find((claim) => claim.id === id);
  }

  /** Removes a claim from the inbox; the caller answers and acknowledges it. */
  takeClaim(task: TaskIdentity, id: number): Held<ClaimMessage> | undefined {
    const memory = this.peek(task);
    const index = memory?.claims.findIndex((claim) => claim.id === id) ?? -1;
    return index < 0 ? undefined : memory?.claims.splice(index, 1)[0];
  }

  /** Acknowledges a claim that was granted and removes it from the inbox. */
  settleClaim(task: TaskIdentity, claim: Held<ClaimMessage>): void {
    this.takeClaim(task, claim.id);
    claim.delivery.ack();
    this.#onSettled(claim);
  }

  /** Acknowledges messages and removes them from the inbox. */
  settle(task: TaskIdentity, ids: readonly number[]): void {
    const memory = this.peek(task);
    if (!memory) return;
    for (const slot of ['runResult', 'verifyResult', 'effectResult'] as const) {
      const held = memory[slot];
      if (!held || !ids.includes(held.id)) continue;
      held.delivery.ack();
      this.#onSettled(held);
      delete memory[slot];
    }
  }

  /** The attempt is over: what was kept about it goes, messages that are still unsettled stay. */
  endAttempt(task: TaskIdentity): void {
    const memory = this.peek(task);
    if (!memory) return;
    memory.published = {};
    memory.sendings = {};
    delete memory.lastHeartbeatAt;
    delete memory.cancelSentAt;
    delete memory.gone;
    if (memory.claims.length === 0 && !memory.runResult && !memory.verifyResult && !memory.effectResult)
      this.#drop(keyFor(task), memory);
  }

  /**
   * The tasks that had this name are gone from the cluster: settles everything about them.
   * @param except uid of the task that has the name now
   */
  forget(key: string, except?: string): void {
    for (const memory of this.#memories.get(key) ?? []) {
      if (memory.uid === except) continue;
      for (const held of [...memory.claims, memory.runResult, memory.verifyResult, memory.effectResult])
        held?.delivery.ack();
      this.#drop(key, memory);
    }
  }

  /** Whether an agent has asked for a task of this name and waits for the answer. */
  isClaimed(key: string): boolean {
    return this.#memories.get(key)?.some(({ claims }) => claims.length > 0) ?? false;
  }

  /** The work that was published for the tasks of this name is not at the broker any more, or may not be had. */
  workLost(key: string): void {
    for (const { published } of this.#memories.get(key) ?? []) if (published.work) published.work.dropped = true;
  }

  /**
   * The consumer of what agents send has lost its channel: every unacknowledged message of theirs comes again, so the old deliveries are
   * worthless. Those of other channels stay, since they do not come again.
   */
  dropFromAgents(): void {
    for (const memory of [...this.#memories.values()].flat()) {
      memory.claims = [];
      delete memory.runResult;
      delete memory.verifyResult;
    }
  }

  /** The same for what the publisher answers. */
  dropFromPublisher(): void {
    for (const memory of [...this.#memories.values()].flat()) delete memory.effectResult;
  }

  #drop(key: string, memory: TaskMemory): void {
    const others = this.#memories.get(key)?.filter((other) => other !== memory) ?? [];
    if (others.length > 0) this.#memories.set(key, others);
    else this.#memories.delete(key);
  }
}
