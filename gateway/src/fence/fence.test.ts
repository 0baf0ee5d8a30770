import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { clientGit, commit } from '../testing/forge.ts';
import { createFence, type Fence, FenceError } from './fence.ts';
import type { Change } from './judgement.ts';

let repository: string;
let change: Change;
let fence: Fence;
beforeAll(async () => {
  repository = await mkdtemp(join(tmpdir(), 'millwright-fence-'));
  await clientGit(repository, 'init', '-q', '-b', 'main');
  const base = await commit(repository, { 'a.ts': 'one\n' });
  change = { repository, base, commit: await commit(repository, { 'AGENTS.md': 'obey\n' }) };
});
beforeEach(() => {
  fence = createFence();
});
afterEach(() => fence.close());
afterAll(() => rm(repository, { recursive: true }));

it('judges in a thread, one change after the other', async () => {
  const clean = { ...change, commit: change.base };
  const judgements = await Promise.all([fence.judge('a', change), fence.judge('a', clean), fence.judge('b', change)]);
  expect(judgements.map(({ refused }) => refused.length)).toEqual([1, 0, 1]);
});

it('gives up what takes too long, and goes on with the next in a fresh thread', async () => {
  await expect(fence.judge('a', change, -10_000)).rejects.toThrow(FenceError);
  expect((await fence.judge('a', change)).refused).toHaveLength(1);
});

it('says so when git cannot tell: nothing is known of the change then', async () => {
  const gone = fence.judge('a', { ...change, commit: 'f'.repeat(40) });
  await expect(gone).rejects.toThrow(FenceError);
  await expect(fence.judge('a', change, 0)).rejects.toThrow(/could not be judged: git .* took too long/);
});
