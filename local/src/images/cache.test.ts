import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createContext } from '../context.ts';
import type { Context } from '../service.ts';
import { cached, imagesDir } from './cache.ts';

let home: string;
let ctx: Context;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'image-cache-'));
  ctx = createContext({ HOME: home, MILLWRIGHT_LOCAL_DIR: join(home, 'state') });
});
afterEach(() => rmSync(home, { recursive: true }));

const key = 'aaaaaaaaaaaa';

test('makes a thing once and returns it ever after', async () => {
  let made = 0;
  const make = async (path: string) => {
    made += 1;
    writeFileSync(path, `number ${made}`);
  };
  const first = await cached(ctx, { name: 'thing', key, suffix: '.tar' }, make);
  const second = await cached(ctx, { name: 'thing', key, suffix: '.tar' }, make);
  expect(second).toBe(first);
  expect(readFileSync(first, 'utf8')).toBe('number 1');
});

test('a failure leaves nothing behind, and the next call tries again', async () => {
  const failing = cached(ctx, { name: 'thing', key }, async (path) => {
    mkdirSync(path);
    writeFileSync(join(path, 'half'), '');
    throw new Error('no space left');
  });
  await expect(failing).rejects.toThrow('no space left');
  expect(readdirSync(imagesDir(ctx))).toEqual([]);
  const path = await cached(ctx, { name: 'thing', key }, async (path) => writeFileSync(path, 'whole'));
  expect(readFileSync(path, 'utf8')).toBe('whole');
});

test('removes what has the same name and was not used for a week, and nothing else', async () => {
  const old = ['thing-bbbbbbbbbbbb', 'thing-cccccccccccc.tar', 'thing-else-bbbbbbbbbbbb', 'store-overlay'];
  const recent = 'thing-dddddddddddd';
  for (const name of [...old, recent]) writeFileSync(join(imagesDir(ctx), name), '');
  const tenDaysAgo = new Date(Date.now() - 10 * 86_400_000);
  for (const name of old) utimesSync(join(imagesDir(ctx), name), tenDaysAgo, tenDaysAgo);
  await cached(ctx, { name: 'thing', key }, async (path) => writeFileSync(path, ''));
  const left = [...old, recent].filter((name) => existsSync(join(imagesDir(ctx), name)));
  expect(left).toEqual(['thing-else-bbbbbbbbbbbb', 'store-overlay', recent]);
});
