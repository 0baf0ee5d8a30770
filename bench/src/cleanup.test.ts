import { expect, it } from 'vitest';
import { createCleanup } from './cleanup.ts';

it('removes the last made first, and each thing once', async () => {
  const removed: string[] = [];
  const cleanup = createCleanup();
  for (const name of ['namespace', 'operator', 'agents'])
    cleanup.add(async () => {
      removed.push(name);
    });
  const early = cleanup.add(async () => {
    removed.push('floor');
  });
  await early();
  await early();
  await cleanup[Symbol.asyncDispose]();
  await cleanup[Symbol.asyncDispose]();
  expect(removed).toEqual(['floor', 'agents', 'operator', 'namespace']);
});

it('waits for a removal that is under way', async () => {
  const cleanup = createCleanup();
  const slow = Promise.withResolvers<void>();
  const remove = cleanup.add(() => slow.promise);
  const early = remove();
  let done = false;
  const all = cleanup[Symbol.asyncDispose]().then(() => {
    done = true;
  });
  await Promise.resolve();
  expect(done).toBe(false);
  slow.resolve();
  await Promise.all([early, all]);
  expect(done).toBe(true);
});

it('removes everything else when one removal fails, and says so', async () => {
  const removed: string[] = [];
  const cleanup = createCleanup();
  cleanup.add(async () => {
    removed.push('first');
  });
  cleanup.add(() => Promise.reject(new Error('the database is busy')));
  await expect(cleanup[Symbol.asyncDispose]()).rejects.toThrow('the database is busy');
  expect(removed).toEqual(['first']);
});
