import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBundles } from './bundles.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millwright-bundles-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const key = { namespace: 'team', project: 'app' };
const hash = (n: number) => n.toString(16).padStart(40, '0');

describe('a pin', () => {
  it('is the first of many, also of processes that overlap for a moment', async () => {
    const each = Array.from({ length: 20 }, (_, n) => createBundles(folder).pin(key, 'wf-1', hash(n)));
    const pinned = await Promise.all(each);
    expect(new Set(pinned).size).toBe(1);
    expect(await createBundles(folder).pin(key, 'wf-1', hash(99))).toBe(pinned[0]);
    expect(await createBundles(folder).pinned(key, 'wf-1')).toBe(pinned[0]);
  });

  it('is apart for each Workflow and Project', async () => {
    const bundles = createBundles(folder);
    await bundles.pin(key, 'wf-1', hash(1));
    expect(await bundles.pin(key, 'wf-2', hash(2))).toBe(hash(2));
    expect(await bundles.pin({ ...key, project: 'other' }, 'wf-1', hash(3))).toBe(hash(3));
    expect(await bundles.pinned({ ...key, namespace: 'rival' }, 'wf-1')).toBeUndefined();
  });
});

it('does not believe a pin that is damaged', async () => {
  const bundles = createBundles(folder);
  await bundles.pin(key, 'wf-1', hash(1));
  await writeFile(join(folder, 'team/app/workflows/wf-1'), 'not a commit');
  expect(await bundles.pinned(key, 'wf-1')).toBeUndefined();
  await expect(bundles.pin(key, 'wf-1', hash(2))).rejects.toThrow(/holds no commit: remove it/);
});
