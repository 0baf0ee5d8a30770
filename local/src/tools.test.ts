import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createContext } from './context.ts';
import { createToolBuilder } from './tools.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'millwright-tools-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

/** Stands for Go: makes an empty file where the binary of `pause` is to be. */
const go = `#!/bin/sh
while [ "$1" != -o ]; do shift; done
touch "$2/pause"
`;

test('a build removes what interrupted builds of the same module have left', async () => {
  mkdirSync(join(home, 'bin'));
  writeFileSync(join(home, 'bin/go'), go, { mode: 0o755 });
  vi.stubEnv('PATH', `${join(home, 'bin')}:${process.env.PATH}`);
  const ctx = createContext({ HOME: home, MILLWRIGHT_LOCAL_DIR: join(home, 'state') });
  const tools = join(ctx.cacheDir, 'tools');
  const { pid: ended } = spawnSync('true');
  const others = [`pause-0123.${process.ppid}.new`, `etcd-v1.${ended}.new`, 'pause-0123'];
  for (const folder of [...others, `pause-0123.${ended}.new`, `pause-4567.${process.pid}.new`])
    mkdirSync(join(tools, folder), { recursive: true });

  await createToolBuilder(ctx, new Set(['pause']))('pause');
  const built = readdirSync(tools).filter((entry) => !others.includes(entry));
  expect(built).toEqual([expect.stringMatching(/^pause-[0-9a-f]{12}$/)]);
  expect(readdirSync(tools)).toEqual(expect.arrayContaining(others));
});
