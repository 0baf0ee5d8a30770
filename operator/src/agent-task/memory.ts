import type { Delivery } from '@millwright/broker';
import type { ClaimMessage, EffectResultMessage, ResultMessage } from '@millwright/crds';
import type { Sendings } from '../message-spans.ts';
import type { PublishedWork, TaskInbox, Unsettled } from './observation.ts';

interface Held<M> extends Unsettled<M> {
  delivery: Delivery<unknown>;
}

/** A message that had its effect. */
export type HandledMessage = Held<ClaimMessage | ResultMessage | EffectResultMessage>;

/** What this process keeps about one task between passes. All of it can be lost: messages are redelivered, the rest is derived anew. */
export interface TaskMemory {
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

/** Memories by key of the task. */
export class TaskMemories {
  readonly #memories = new Map<string, TaskMemory>();
  readonly #onSettled: (key: string, held: HandledMessage) => void;
  #nextId = 1;

  /** @param onSettled called for each claim that was granted, and for each result whose consequence has been written */
  constructor(onSettled: (key: string, held: HandledMessage) => void = () => {}) {
    this.#onSettled = onSettled;
  }

  of(key: string): TaskMemory {
    let memory = this.#memories.get(key);
    if (!memory) {
      memory = { claims: [], published: {}, sendings: {} };
      this.#memories.set(key, memory);
    }
    return memory;
  }

  peek(key: string): TaskMemory | undefined {
    return this.#memories.get(key);
  }

  addClaim(key: string, delivery: Delivery<unknown>, message: ClaimMessage, now: number): void {
    this.of(key).claims.push({ id: this.#nextId++, delivery, message, receivedAt: now });
  }

  /** A second copy of a result replaces the first, which is settled: it says the same. */
  addResult(key: string, delivery: Delivery<unknown>, message: ResultMessage, now: number): void {
    const slot = message.kind === 'run' ? 'runResult' : 'verifyResult';
    const memory = this.of(key);
    memory[slot]?.delivery.ack();
    memory[slot] = { id: this.#nextId++, delivery, message, receivedAt: now };
  }

  addEffectResult(key: string, delivery: Delivery<unknown>, message: EffectResultMessage, now: number): void {
    const memory = this.of(key);
    memory.effectResult?.delivery.ack();
    memory.effectResult = { id: this.#nextId++, delivery, message, receivedAt: now };
  }

  inbox(key: string): TaskInbox {
    const memory = this.#memories.get(key);
    if (!memory) return { claims: [] };
    const { claims, runResult, verifyResult, effectResult } = memory;
    return {
      claims,
      ...(runResult ? { runResult } : {}),
      ...(verifyResult ? { verifyResult } : {}),
      ...(effectResult ? { effectResult } : {}),
    };
  }

  /** Removes a claim from the inbox; the caller answers and acknowledges it. */
  takeClaim(key: string, id: number): Held<ClaimMessage> | undefined {
    const memory = this.#memories.get(key);
    const index = memory?.claims.findIndex((claim) => claim.id === id) ?? -1;
    return index < 0 ? undefined : memory?.claims.splice(index, 1)[0];
  }

  /** Acknowledges a claim that was taken and granted. */
  settleClaim(key: string, claim: Held<ClaimMessage>): void {
    claim.delivery.ack();
    this.#onSettled(key, claim);
  }

  /** Acknowledges messages and removes them from the inbox. */
  settle(key: string, ids: readonly number[]): void {
    const memory = this.#memories.get(key);
    if (!memory) return;
    for (const slot of ['runResult', 'verifyResult', 'effectResult'] as const) {
      const held = memory[slot];
      if (!held || !ids.includes(held.id)) continue;
      held.delivery.ack();
      this.#onSettled(key, held);
      delete memory[slot];
    }
  }

  /** The attempt is over: what was kept about it goes, messages that are still unsettled stay. */
  endAttempt(key: string): void {
    const memory = this.#memories.get(key);
    if (!memory) return;
    memory.published = {};
    memory.sendings = {};
    delete memory.lastHeartbeatAt;
    delete memory.cancelSentAt;
    delete memory.gone;
    if (memory.claims.length === 0 && !memory.runResult && !memory.verifyResult && !memory.effectResult)
      this.#memories.delete(key);
  }

  /** The task is gone from the cluster: settles everything. */
  forget(key: string): void {
    const memory = this.#memories.get(key);
    if (!memory) return;
    for (const held of [...memory.claims, memory.runResult, memory.verifyResult, memory.effectResult])
      held?.delivery.ack();
    this.#memories.delete(key);
  }

  /** After a lost broker connection every unacknowledged message comes again, so the old deliveries are worthless. */
  dropDeliveries(): void {
    for (const memory of this.#memories.values()) {
      memory.claims = [];
      delete memory.runResult;
      delete memory.verifyResult;
      delete memory.effectResult;
    }
  }
}
