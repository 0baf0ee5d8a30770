import { Session } from 'node:inspector/promises';
import { expect, it } from 'vitest';
import { type CpuProfile, selfTimes } from './profile.ts';

const node = (id: number, functionName: string, url = '', lineNumber = -1) => ({
  id,
  callFrame: { functionName, url, lineNumber },
});

it('adds up the samples of a function and leaves idle time out', () => {
  const plan = 'file:///repo/operator/src/plan.ts';
  const profile: CpuProfile = {
    nodes: [
      node(1, '(idle)'),
      node(2, 'planTask', plan, 30),
      node(3, 'planTask', plan, 30),
      node(4, '', plan, 9),
      node(5, '(garbage collector)'),
    ],
    samples: [1, 2, 3, 4, 5, 2],
    timeDeltas: [9_000_000, 1000, 2000, 1000, 3000, 3000],
  };
  expect(selfTimes(profile, '/repo')).toEqual([
    { name: 'planTask operator/src/plan.ts:31', milliseconds: 6, share: 0.6 },
    { name: '(garbage collector)', milliseconds: 3, share: 0.3 },
    { name: '(anonymous) operator/src/plan.ts:10', milliseconds: 1, share: 0.1 },
  ]);
});

it('reads what V8 writes', async () => {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  const end = performance.now() + 100;
  while (performance.now() < end) spin();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  const times = selfTimes(profile as CpuProfile, process.cwd());
  expect(times.map(({ name }) => name).join('\n')).toMatch(/profile\.test\.ts:\d+/);
  expect(times.reduce((total, { milliseconds }) => total + milliseconds, 0)).toBeGreaterThan(50);
});

function spin(): number {
  let sum = 0;
  for (let i = 0; i < 1e5; i++) sum += Math.sqrt(i);
  return sum;
}
