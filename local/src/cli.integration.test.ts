import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTestVhost } from '@millwright/broker/testing';
import { expect, it } from 'vitest';
import { createContext } from './context.ts';
import { readEnvironment } from './env.ts';

it("reads the dead letters of the platform's broker", async () => {
  await using vhost = await createTestVhost();
  const folder = await mkdtemp(join(tmpdir(), 'millwright-cli-'));
  try {
    const environment = { ...readEnvironment(createContext()), amqpUrl: vhost.url };
    await writeFile(join(folder, 'env.json'), JSON.stringify(environment));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(import.meta.dirname, 'cli.ts'), 'dead-letters', 'list'],
      { env: { ...process.env, MILLWRIGHT_LOCAL_DIR: folder } },
    );
    expect(stdout).toBe('no dead letters\n');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
