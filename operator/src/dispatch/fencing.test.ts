import { describe, expect, test } from 'vitest';
import { type Fence, fencingToken, isFencedBy } from './fencing.ts';

const fence: Fence = { task: 'uid-1', attempt: 2, kind: 'run', epoch: 3, pod: 'pool-1-abc' };
const key = 'k'.repeat(32);

test('a token is that of its grant', () => {
  expect(isFencedBy(fencingToken(fence, key), fence, key)).toBe(true);
  expect(fencingToken(fence, key)).toMatch(/^uid-1\.2\.run\.3\.[\w-]{32}$/);
});

describe('a token is not that of', () => {
  test.each<[string, Partial<Fence>]>([
    ['another task', { task: 'uid-2' }],
    ['another attempt', { attempt: 1 }],
    ['the verification', { kind: 'verify' }],
    ['another leader', { epoch: 4 }],
    ['another pod', { pod: 'pool-1-abd' }],
  ])('%s', (_, change) => {
    expect(isFencedBy(fencingToken(fence, key), { ...fence, ...change }, key)).toBe(false);
  });

  test.each([
    ['another installation', fencingToken(fence, 'x'.repeat(32))],
    ['nobody', ''],
    ['someone who guessed the beginning', `${fencingToken(fence, key).slice(0, -32)}${'A'.repeat(32)}`],
    ['someone who added to it', `${fencingToken(fence, key)}A`],
    ['someone with letters of two bytes', 'é'.repeat(fencingToken(fence, key).length)],
  ])('%s', (_, token) => {
    expect(isFencedBy(token, fence, key)).toBe(false);
  });

  test('fields that would be the same when put together', () => {
    const token = fencingToken({ ...fence, task: 'uid-1', pod: 'a' }, key);
    expect(isFencedBy(token, { ...fence, task: 'uid-1', pod: 'a\n' }, key)).toBe(false);
  });
});
