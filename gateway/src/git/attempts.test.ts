import type { AgentTaskStatus } from '@millwright/crds';
import { expect, it } from 'vitest';
import { KubeError } from '../shared/kube.ts';
import { claims, recordingLog } from '../testing/git-host.ts';
import { type AttemptOptions, createIsOver } from './attempts.ts';

type Task = Awaited<ReturnType<AttemptOptions['read']>>;
const task = (status: Partial<AgentTaskStatus>, uid = 'task-1') => ({ metadata: { uid }, status }) as Task;
const isOver = (read: AttemptOptions['read'], more: Partial<AttemptOptions> = {}) =>
  createIsOver({ read, log: recordingLog().log, ...more });

const cases: [string, () => Promise<Task>, boolean][] = [
  ['at work', async () => task({ phase: 'Running', attempt: 1 }), false],
  ['being verified', async () => task({ phase: 'Verifying', attempt: 1 }), false],
  ['finished', async () => task({ phase: 'Succeeded', attempt: 1 }), true],
  ['cancelled', async () => task({ phase: 'Cancelled', attempt: 1 }), true],
  ['at a later attempt', async () => task({ phase: 'Waiting', attempt: 2 }), true],
  ['at an earlier attempt, as an old copy would say', async () => task({ phase: 'Waiting' }), false],
  ['another one of this name', async () => task({ phase: 'Running', attempt: 1 }, 'task-2'), true],
  ['gone', () => Promise.reject(new KubeError(404, 'not found')), true],
  ['unknown: no API server', () => Promise.reject(new KubeError(0, 'away')), false],
  ['unknown: not allowed', () => Promise.reject(new KubeError(403, 'forbidden')), false],
  ['unknown: no answer', () => new Promise<never>(() => {}), false],
];
it.each(cases)('a task that is %s', async (_, read, over) => {
  expect(await isOver(read, { patienceMs: 20 })(claims())).toBe(over);
});

it('asks once for callers at the same time, and again after a minute', async () => {
  let now = 0;
  const asked: string[] = [];
  let status: Partial<AgentTaskStatus> = { phase: 'Running', attempt: 1 };
  const over = isOver(
    async (namespace, name) => {
      asked.push(`${namespace}/${name}`);
      return task(status);
    },
    { now: () => now },
  );
  expect(await Promise.all([over(claims()), over(claims({ kind: 'verify' }))])).toEqual([false, false]);
  status = { phase: 'Failed', attempt: 1 };
  now = 59_999;
  expect(await over(claims())).toBe(false);
  now = 60_000;
  expect(await over(claims())).toBe(true);
  expect(asked).toEqual(['team/build', 'team/build']);
});

it('asks again soon when nobody could tell', async () => {
  let now = 0;
  let asked = 0;
  const over = isOver(
    () => {
      asked += 1;
      return asked === 1 ? Promise.reject(new KubeError(0, 'away')) : Promise.resolve(task({ phase: 'Failed' }));
    },
    { now: () => now },
  );
  expect(await over(claims())).toBe(false);
  now = 5_000;
  expect(await over(claims())).toBe(true);
});
