/** Judges changes in a thread of its own: the core is synchronous, and whoever serves requests must not wait for a large change. */
import { parentPort } from 'node:worker_threads';
import { loadCore } from '@millwright/native-wasm';
import type { Answer, Question } from './fence.ts';
import { judge, problemOf } from './judge.ts';

async function answer(question: Question): Promise<Answer> {
  try {
    const core = await loadCore();
    if ('policy' in question) return { value: problemOf(core, question.policy) };
    return { value: await judge(core, question.change, Date.now() + question.timeoutMs) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', async (question: Question) => parentPort?.postMessage(await answer(question)));
