import { describe, expect, test } from 'vitest';
import { aPool, NOW } from '../testing/objects.ts';
import { aSandbox } from '../testing/observations.ts';
import type { SandboxView } from './plan.ts';
import { type Trouble, Troubles } from './troubles.ts';

const pull = { reason: 'ImagePull', message: 'ErrImagePull: not found; correct it' };
const stuck = (ordinal: number, change: Partial<SandboxView> = {}) =>
  aSandbox(ordinal, 'starting', { problem: pull, ...change });
const failed = (ordinal: number, createdAt: number) =>
  aSandbox(ordinal, 'failed', { createdAt: NOW + createdAt, endedAt: NOW + createdAt + 1 });

const bare = (ordinal: number) => {
  const { endedAt: _, ...rest } = failed(ordinal, -1001);
  return rest;
};

/** What is known of image `i` after looks at these sandboxes, one second after another. */
function after(...looks: SandboxView[][]): Trouble | undefined {
  const troubles = new Troubles(() => {});
  looks.forEach((sandboxes, second) => {
    troubles.look(aPool(), sandboxes, NOW + second * 1000);
  });
  return troubles.of('team/pool', 'i');
}
const pauseOf = (trouble: Trouble | undefined) => trouble && trouble.retryAt - NOW;

describe('an image is in trouble', () => {
  test.each<[string, SandboxView[][], boolean]>([
    ['not without any sandbox', [[]], false],
    ['not while one starts', [[aSandbox(1, 'starting')]], false],
    ['not when one idles', [[aSandbox(1, 'idle')]], false],
    ['when one is stuck', [[stuck(1)]], true],
    ['when one has ended before it took a task', [[failed(1, 0)]], true],
    ['also after that one is gone', [[stuck(1)], []], true],
    ['while the next one starts', [[stuck(1)], [aSandbox(2, 'starting')]], true],
    ['until one idles', [[stuck(1)], [aSandbox(2, 'idle')]], false],
    ['until it starts nevertheless', [[stuck(1)], [aSandbox(1, 'starting')], [aSandbox(1, 'idle')]], false],
    ['not before', [[stuck(1)], [aSandbox(1, 'starting')]], true],
    ['again after one that went well', [[aSandbox(1, 'spent')], [aSandbox(1, 'spent'), stuck(2)]], true],
    ['not for one before the last that went well', [[stuck(1), aSandbox(2, 'succeeded')]], false],
    [
      'not by that one either when it is seen again',
      [[stuck(1)], [aSandbox(2, 'idle'), stuck(3)], [stuck(1), aSandbox(2, 'idle'), aSandbox(3, 'idle')]],
      false,
    ],
    ['whatever comes of other images', [[stuck(1)], [aSandbox(2, 'idle', { image: 'j' })]], true],
    ['not for want of room on the nodes', [[stuck(1, { problem: { reason: 'Unschedulable', message: '' } })]], false],
    ['not for one made from older settings', [[stuck(1, { outdated: true })]], false],
    ['not for one whose settings are older now', [[stuck(1)], [stuck(1, { outdated: true })]], false],
  ])('%s', (_, looks, expected) => {
    expect(after(...looks) !== undefined).toBe(expected);
  });

  test.each<[string, SandboxView[], boolean]>([
    ['while the next one is on its way', [stuck(1), aSandbox(2, 'starting')], true],
    ['not while all are stuck', [stuck(1), stuck(2)], false],
    ['not while it goes', [stuck(1), aSandbox(2, 'starting', { draining: true })], false],
    ['not with another image', [stuck(1), aSandbox(2, 'starting', { image: 'j' })], false],
  ])('is being tried %s', (_, sandboxes, expected) => {
    expect(after(sandboxes)?.trying).toBe(expected);
  });

  test('until nobody has wanted it for an hour', () => {
    const troubles = new Troubles(() => {});
    const { retryAt = 0 } = troubles.look(aPool(), [stuck(1)], NOW).get('i') ?? {};
    expect(troubles.look(aPool(), [stuck(1)], retryAt + 3_600_001).size).toBe(1);
    expect(troubles.look(aPool(), [], retryAt + 3_600_000).size).toBe(1);
    expect(troubles.look(aPool(), [], retryAt + 3_600_001).size).toBe(0);
  });

  test('until somebody changes the pool', () => {
    const troubles = new Troubles(() => {});
    troubles.look(aPool(), [stuck(1)], NOW);
    expect(troubles.look(aPool('pool', {}, { generation: 2 }), [], NOW).size).toBe(0);
  });
});

describe('the pause before the next one', () => {
  test.each<[string, SandboxView[][], number]>([
    ['is short at first', [[stuck(1)]], 5_000],
    ['counts from when it was seen', [[], [stuck(1)], [stuck(1)]], 6_000],
    ['counts from the end', [[failed(1, -2001)]], 3_000],
    ['which the Job tells later than the pod', [[bare(1)], [failed(1, -1001)]], 4_000],
    ['until then from when it was seen', [[bare(1)], [bare(1)]], 5_000],
    ['is the same for several that were started side by side', [[stuck(1), stuck(2), stuck(3)]], 5_000],
    ['doubles with each that follows', [[failed(1, -3000), failed(2, -2000), failed(3, -1001)]], 19_000],
    ['is bounded', [Array.from({ length: 40 }, (_, i) => failed(i, i * 10 - 401))], 300_000 - 10],
  ])('%s', (_, looks, expected) => {
    expect(pauseOf(after(...looks))).toBe(expected);
  });
});

test('the words that say why are kept when the kubelet only says that it waits', () => {
  const waits = { reason: 'ImagePull', message: 'ImagePullBackOff: waits' };
  expect(after([stuck(1)], [stuck(1, { problem: waits })])?.problem).toEqual(pull);
  expect(after([stuck(1, { problem: waits })], [stuck(1)])?.problem).toEqual(pull);
});

test('what begins, has another reason or ends is told, once', () => {
  const told: (string | undefined)[] = [];
  const troubles = new Troubles((_, image, trouble) => told.push(`${image} ${trouble?.problem.reason}`));
  for (const sandboxes of [
    [stuck(1)],
    [stuck(1)],
    [stuck(1), failed(2, 0)],
    [aSandbox(3, 'idle')],
    [aSandbox(3, 'idle')],
  ])
    troubles.look(aPool(), sandboxes, NOW);
  expect(told).toEqual(['i ImagePull', 'i SandboxLost', 'i undefined']);
});
