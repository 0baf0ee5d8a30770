import { createLogger } from '@millwright/otel';
import { describe, expect, it } from 'vitest';
import { startController } from './controller.ts';
import { KubeError, TerminalError, WritesForbiddenError } from './errors.ts';
import { noMetrics } from './metrics.ts';
import { fakeClock, settle } from './testing/fake-clock.ts';

const conflict = new KubeError({ status: 409, reason: 'Conflict', detail: '' }, { method: 'PATCH', path: '/' });
const throttled = new KubeError(
  { status: 429, reason: 'TooManyRequests', detail: '', retryAfterMs: 7_000 },
  { method: 'POST', path: '/' },
);

/** A controller on a fake clock, whose reconciles are answered by `answer` in turn. */
function harness(answers: (() => unknown)[], workers = 2) {
  const clock = fakeClock();
  const calls: { key: string; at: number; failures: number }[] = [];
  const outcomes: string[] = [];
  const lines: string[] = [];
  const controller = startController({
    name: 'test',
    workers,
    clock,
    random: () => 0.5,
    backoff: { baseMs: 100, capMs: 1_000 },
    logger: createLogger({ write: (line) => lines.push(line) }),
    metrics: { ...noMetrics, reconcile: (_name, outcome) => outcomes.push(outcome) },
    reconcile: async (key, context) => {
      calls.push({ key, at: clock.now(), failures: context.failures });
      return answers.shift()?.() as undefined;
    },
  });
  return { clock, calls, outcomes, lines, controller };
}
const fail = (error: unknown) => () => {
  throw error;
};

describe('startController', () => {
  it('reconciles what is enqueued', async () => {
    const { clock, calls, controller, outcomes } = harness([]);
    controller.enqueue('a');
    controller.queue.addAfter('b', 500);
    await clock.advance(1_000);
    expect(calls).toMatchObject([
      { key: 'a', at: 0 },
      { key: 'b', at: 500 },
    ]);
    expect(outcomes).toEqual(['success', 'success']);
  });

  it('backs off on errors, and starts anew after a success that also delays', async () => {
    const boom = fail(new Error('boom'));
    const { clock, calls, controller } = harness([
      boom,
      boom,
      () => ({ requeueAfterMs: 1_000 }),
      boom,
      () => undefined,
    ]);
    controller.enqueue('a');
    await clock.advance(60_000);
    expect(calls.map(({ at }) => at)).toEqual([0, 50, 150, 1_150, 1_200]);
    expect(calls.map(({ failures }) => failures)).toEqual([0, 1, 2, 0, 1]);
  });

  it('does later what the last pass asked for, not what passes before did', async () => {
    const { clock, calls, controller } = harness([
      () => ({ requeueAfterMs: 5_000 }),
      () => ({ requeueAfterMs: 9_000 }),
      () => undefined,
    ]);
    controller.enqueue('a');
    await clock.advance(1_000);
    controller.enqueue('a');
    await clock.advance(7_000);
    controller.enqueue('a');
    await clock.advance(60_000);
    expect(calls.map(({ at }) => at)).toEqual([0, 1_000, 8_000]);
    expect(controller.queue.delayed).toBe(0);
  });

  const kinds = [
    { name: 'a terminal error', error: new TerminalError('no'), outcome: 'terminal', calls: [0], logged: 'error' },
    {
      name: 'a forbidden write',
      error: new WritesForbiddenError('PATCH'),
      outcome: 'terminal',
      calls: [0],
      logged: 'error',
    },
    { name: 'a conflict', error: conflict, outcome: 'conflict', calls: [0, 50], logged: undefined },
    { name: 'a refusal with Retry-After', error: throttled, outcome: 'error', calls: [0, 7_050], logged: 'warn' },
    { name: 'a thrown undefined', error: undefined, outcome: 'error', calls: [0, 50], logged: 'warn' },
  ] as const;
  it.each(kinds)('$name', async ({ error, outcome, calls: times, logged }) => {
    const { clock, calls, controller, outcomes, lines } = harness([fail(error)]);
    controller.enqueue('a');
    await clock.advance(60_000);
    expect(calls.map(({ at }) => at)).toEqual(times);
    expect(outcomes[0]).toBe(outcome);
    const levels = lines.map((line) => (JSON.parse(line) as { level: string }).level);
    expect(levels).toEqual(logged === undefined ? [] : [logged]);
  });

  it('a synchronous throw in one key leaves the others alone', async () => {
    const clock = fakeClock();
    const seen: string[] = [];
    const controller = startController({
      name: 'test',
      workers: 1,
      clock,
      backoff: { baseMs: 1_000_000, capMs: 1_000_000 },
      reconcile: (key) => {
        seen.push(key);
        if (key === 'bad') throw new RangeError('bad key');
        return Promise.resolve();
      },
    });
    for (const key of ['bad', 'good', 'better']) controller.enqueue(key);
    await settle();
    expect(seen).toEqual(['bad', 'good', 'better']);
  });

  it('runs as many keys at once as it has workers, and never one key twice', async () => {
    const clock = fakeClock();
    const running: string[] = [];
    let most = 0;
    const release: (() => void)[] = [];
    const controller = startController({
      name: 'test',
      workers: 3,
      clock,
      reconcile: async (key) => {
        expect(running).not.toContain(key);
        running.push(key);
        most = Math.max(most, running.length);
        await new Promise<void>((resolve) => release.push(resolve));
        running.splice(running.indexOf(key), 1);
      },
    });
    for (const key of ['a', 'b', 'c', 'd', 'a']) controller.enqueue(key);
    await settle();
    controller.enqueue('a');
    for (let turn = 0; turn < 5; turn += 1) {
      release.shift()?.();
      await settle();
    }
    expect(most).toBe(3);
    expect(running).toEqual([]);
    expect(controller.queue.length).toBe(0);
  });

  it('stops: running reconciles end, are told so after the grace, and nothing new starts', async () => {
    const clock = fakeClock();
    let told: number | undefined;
    const seen: string[] = [];
    const controller = startController({
      name: 'test',
      workers: 1,
      clock,
      reconcile: async (key, { signal }) => {
        seen.push(key);
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        told = clock.now();
      },
    });
    controller.enqueue('a');
    controller.enqueue('b');
    await settle();
    let stopped = false;
    const stopping = controller.stop({ graceMs: 3_000 }).then(() => {
      stopped = true;
    });
    await clock.advance(2_999);
    expect(stopped).toBe(false);
    await clock.advance(1);
    await stopping;
    expect(told).toBe(3_000);
    expect(seen).toEqual(['a']);
  });
});
