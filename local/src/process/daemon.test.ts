import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runningDaemon, startDaemon, stopDaemon } from './daemon.ts';

let folder: string;
let record: string;
const launch = { command: 'sleep', args: ['600'] };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-daemon-'));
  record = join(folder, 'run/sleeper.json');
});
afterEach(async () => {
  await stopDaemon(record);
  rmSync(folder, { recursive: true, force: true });
});

const cases = [
  { name: 'another process that got the same pid', change: { startTime: 1 } },
  { name: 'a process of an earlier boot', change: { bootId: 'earlier' } },
];

test.each(cases)('is not mistaken for $name, which stays untouched', async ({ change }) => {
  const started = startDaemon(launch, record, join(folder, 'log'));
  const genuine = JSON.stringify(started);
  writeFileSync(record, JSON.stringify({ ...started, ...change }));
  expect(runningDaemon(record)).toBeUndefined();
  await stopDaemon(record);
  writeFileSync(record, genuine);
  expect(runningDaemon(record)?.pid).toBe(started.pid);
});

test('says which command is missing', () => {
  expect(() => startDaemon({ command: '/no/such/command', args: [] }, record, join(folder, 'log'))).toThrow(
    '/no/such/command could not be started',
  );
});

test('passes on nothing of the environment but what the launch names', async () => {
  const log = join(folder, 'log');
  process.env.MILLWRIGHT_SECRET_OF_THE_CALLER = 'x';
  try {
    startDaemon({ command: 'sh', args: ['-c', 'env; exec sleep 600'], env: { WANTED: 'yes' } }, record, log);
  } finally {
    delete process.env.MILLWRIGHT_SECRET_OF_THE_CALLER;
  }
  await expect.poll(() => readFile(log, 'utf8')).toContain('WANTED=yes');
  expect(await readFile(log, 'utf8')).not.toContain('MILLWRIGHT_SECRET_OF_THE_CALLER');
});

test('moves a log aside that has grown too long, and goes on with an empty one', () => {
  const log = join(folder, 'log');
  writeFileSync(log, '');
  truncateSync(log, 65 * 1024 ** 2);
  startDaemon(launch, record, log);
  expect(statSync(`${log}.1`).size).toBe(65 * 1024 ** 2);
  expect(statSync(log).size).toBe(0);
});
