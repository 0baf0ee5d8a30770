import { Worker } from 'node:worker_threads';
import type { Policy } from '@millwright/crds';
import { fairSemaphore } from '../shared/semaphore.ts';
import type { Change, Judgement } from './judgement.ts';

/** It could not be found out whether a change may be, or a policy is right; later it may. */
export class FenceError extends Error {
  override readonly name = 'FenceError';
}

export type Question =
  | {
      change: Change;
      /** For git. */
      timeoutMs: number;
    }
  | { policy: Policy };
/** A judgement of a change, what is wrong with a policy, or why there is no answer. */
export type Answer = { value: Judgement | string | undefined } | { error: string };

export interface Fence {
  /**
   * Judges a change of a project of this namespace, in at most `timeoutMs` from the moment that it is its turn.
   * @throws FenceError
   */
  judge(namespace: string, change: Change, timeoutMs?: number): Promise<Judgement>;
  /**
   * What is wrong with a policy of a project of this namespace, whatever is changed; undefined: nothing.
   * @throws FenceError
   */
  problemOf(namespace: string, policy: Policy): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Changes that are judged at the same time, and of these, of one namespace: the large ones of one keep no other out. */
const PLACES = 2;
const PLACES_OF_ONE = 1;
const TIMEOUT_MS = 60_000;
/** Memory of WebAssembly is only given back with its thread. */
const IDLE_MS = 5 * 60_000;
/** Beside git's own time: what the core may take after that. */
const GRACE_MS = 10_000;
const HEAP_MB = 256;

interface Place {
  worker: Worker;
  idle?: NodeJS.Timeout;
}

/** A few threads that judge, made when there is something to judge. */
export function createFence(): Fence {
  const inTurn = fairSemaphore(PLACES, PLACES_OF_ONE);
  const free: Place[] = [];

  const forget = (place: Place) => {
    clearTimeout(place.idle);
    const at = free.indexOf(place);
    if (at >= 0) free.splice(at, 1);
  };

  function take(): Place {
    const place = free.pop();
    if (!place) {
      const made: Place = { worker: startWorker() };
      // Who waits for an answer hears it too; without anybody, an error would end the process.
      made.worker.on('error', () => forget(made)).on('exit', () => forget(made));
      return made;
    }
    clearTimeout(place.idle);
    place.worker.ref();
    return place;
  }

  function giveBack(place: Place): void {
    place.worker.unref();
    place.idle = setTimeout(() => void place.worker.terminate(), IDLE_MS).unref();
    free.push(place);
  }

  /** @typeParam T what answers this question */
  async function ask<T extends Judgement | string | undefined>(question: Question, limitMs: number): Promise<T> {
    const place = take();
    let answer: Answer;
    try {
      answer = await answerOf(place.worker, question, limitMs);
    } catch (error) {
      void place.worker.terminate();
      throw error;
    }
    giveBack(place);
    if ('error' in answer) throw new FenceError(`it could not be judged: ${answer.error}`);
    return answer.value as T;
  }

  return {
    judge: (namespace, change, timeoutMs = TIMEOUT_MS) =>
      inTurn(namespace, () => ask<Judgement>({ change, timeoutMs }, timeoutMs + GRACE_MS)),
    problemOf: (namespace, policy) => inTurn(namespace, () => ask<string | undefined>({ policy }, GRACE_MS)),
    async close() {
      await Promise.all(free.map(({ worker }) => worker.terminate()));
    },
  };
}

/** In a bundle it lies beside the chunk that this module is in. */
const startWorker = (): Worker =>
  new Worker(new URL(`./fence-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });

/** @throws FenceError when the thread ends, or does not answer in time */
async function answerOf(worker: Worker, question: Question, limitMs: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const fail = (why: string) => reject(new FenceError(`it could not be judged: ${why}`));
  const onError = (error: unknown) => fail(error instanceof Error ? error.message : String(error));
  const onExit = (code: number) => fail(`its thread ended with ${code}`);
  const timer = setTimeout(() => fail(`it took longer than ${limitMs / 1000} s`), limitMs);
  worker.on('error', onError).on('exit', onExit).on('message', resolve);
  worker.postMessage(question);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    worker.off('error', onError).off('exit', onExit).off('message', resolve);
  }
}
