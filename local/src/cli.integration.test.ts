import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createTestVhost } from '@millwright/broker/testing';
import type { EventMessage } from '@millwright/crds';
import { createStore } from '@millwright/supabase';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createContext } from './context.ts';
import { type Environment, readEnvironment } from './env.ts';
import { testDatabase } from './testing/index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millwright-cli-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs the command on a platform that differs from the one that is up. */
async function cli(changes: Partial<Environment>, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  await writeFile(join(folder, 'env.json'), JSON.stringify({ ...readEnvironment(createContext()), ...changes }));
  const env = { ...process.env, MILLWRIGHT_LOCAL_DIR: folder };
  return promisify(execFile)(process.execPath, [join(import.meta.dirname, 'cli.ts'), ...args], { env });
}

it("reads the dead letters of the platform's broker", async () => {
  await using vhost = await createTestVhost();
  expect(await cli({ amqpUrl: vhost.url }, 'dead-letters', 'list')).toMatchObject({ stdout: 'no dead letters\n' });
});

const at = new Date(0).toISOString();
const hex = 'ab'.repeat(32);

function taskEvent(namespace: string, uid: string, status: Record<string, unknown>): EventMessage {
  const object = { kind: 'AgentTask', uid, name: 'task', resourceVersion: '1', project: 'shop', spec: {} } as const;
  return { type: 'snapshot', id: `${uid}:1`, namespace, at, createdAt: at, ...object, status };
}

function logEvents(uid: string, attempt: number, kind: 'run' | 'verify', ...texts: string[]): EventMessage[] {
  const task = { uid, namespace: 'a', name: 'task' };
  return texts.map((text, index) => {
    const id = `${uid}:${attempt}:${kind}:log:${index + 1}`;
    const line = { attempt, kind, sequence: index + 1, stream: 'system', text } as const;
    return { type: 'log', id, namespace: 'a', at, task, ...line };
  });
}

it('prints the output of every attempt of a task', async () => {
  await using database = await testDatabase();
  const platform = { postgrestUrl: database.url, supabaseServiceKey: database.serviceKey };
  const store = createStore({ url: database.url, key: database.serviceKey });
  const output = (...args: string[]) => cli(platform, 'output', ...args);

  await expect(output('task')).rejects.toMatchObject({
    stderr: expect.stringMatching(/^There is no task task\. .*mtask -A/),
  });

  const history = [{ attempt: 1, outcome: 'Failed', reason: 'TestsFailed' }];
  await store.record([
    taskEvent('a', 'one', { phase: 'Running', attempt: 2, history }),
    ...logEvents('one', 2, 'run', 'again\n'),
    ...logEvents('one', 1, 'verify', 'FAIL\n'),
    // More than the database answers at a time.
    ...logEvents('one', 1, 'run', ...Array.from({ length: 1100 }, (_, index) => `${index}\n`), 'no end of line'),
  ]);
  const lines = Array.from({ length: 1100 }, (_, index) => index).join('\n');
  expect(await output('task')).toEqual({
    stdout: `== attempt 1, work ==\n${lines}\nno end of line\n\n== attempt 1, verification ==\nFAIL\n\n== attempt 2, work ==\nagain\n`,
    stderr: '',
  });

  await store.record([taskEvent('b', 'two', { phase: 'Pending', reason: 'CapacityFull', message: 'raise max' })]);
  await expect(output('task')).rejects.toMatchObject({ stderr: 'Say which task: add -n and one of a, b.\n' });
  await expect(output('task', '-n', 'b')).rejects.toMatchObject({
    stderr: expect.stringMatching(/nothing: it is Pending \(CapacityFull\)\.\n {2}raise max\nTry again when it runs/),
  });
});

it('says where the whole log is when the history has only a part of it', async () => {
  await using database = await testDatabase();
  const platform = { postgrestUrl: database.url, supabaseServiceKey: database.serviceKey };
  const task = { uid: 'one', namespace: 'a', name: 'task' };
  const artifact = { name: 'log', digest: `sha256:${hex}`, bytes: 5 };
  const gap = '… 9 characters came too fast to be shown live; the stored log has them …\n';
  await createStore({ url: database.url, key: database.serviceKey }).record([
    taskEvent('a', 'one', { phase: 'Succeeded', attempt: 1 }),
    { type: 'artifact', id: 'one:log', namespace: 'a', at, task, attempt: 1, artifact },
    ...logEvents('one', 1, 'run', 'begun\n', gap),
  ]);
  const file = join(folder, 'data/git/0/artifacts/a/shop/ab', hex);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, 'whole');
  expect((await cli(platform, 'output', 'task')).stderr).toContain(file);
});

it('says what to look at when the history cannot be read', async () => {
  await expect(cli({ postgrestUrl: 'http://127.0.0.1:1' }, 'output', 'task')).rejects.toMatchObject({
    stderr: expect.stringContaining('`npm run local -- status` says whether postgres'),
  });
});
