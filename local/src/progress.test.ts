import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProgress, pretty } from './progress.ts';

let folder: string;
let written: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-progress-'));
  written = '';
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

function stream(isTTY: boolean): NodeJS.WriteStream {
  const write = (text: string) => {
    written += text;
    return true;
  };
  const fake = { isTTY, columns: 120, write };
  return fake as unknown as NodeJS.WriteStream;
}

/** Work that takes this long by the fake clock. */
const lasting = (milliseconds: number) => () => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

describe('to a file', () => {
  test('a quick step leaves no trace', async () => {
    const done = createProgress(folder, stream(false)).step('quick', lasting(500));
    await vi.advanceTimersByTimeAsync(500);
    await done;
    expect(written).toBe('');
  });

  test('a long step has a first line with the estimate and a last one with its time; no control characters', async () => {
    const done = createProgress(folder, stream(false)).step('long', lasting(4000), 65);
    await vi.advanceTimersByTimeAsync(4000);
    await done;
    expect(written).toBe('  … long (about 1 min 5 s)\n  ✓ long (4.0 s)\n');
  });

  test('the time of one run is the estimate of the next', async () => {
    const first = createProgress(folder, stream(false)).step('long', lasting(30_000), 65);
    await vi.advanceTimersByTimeAsync(30_000);
    await first;
    expect(JSON.parse(readFileSync(join(folder, 'durations.json'), 'utf8'))).toEqual({ long: 30 });
    written = '';
    const second = createProgress(folder, stream(false)).step('long', lasting(1500), 65);
    await vi.advanceTimersByTimeAsync(1500);
    await second;
    expect(written).toContain('about 30 s');
  });

  test('a failed step says so and passes the error on', async () => {
    const step = createProgress(folder, stream(false)).step('bad', () => Promise.reject(new Error('why')));
    await expect(step).rejects.toThrow('why');
    expect(written).toBe('  ✗ bad (0.0 s)\n');
  });
});

test('on a terminal each running step has a bar, with the time left and the detail', async () => {
  const progress = createProgress(folder, stream(true));
  const one = progress.step('one', lasting(10_000), 20);
  const two = progress.step('two', (report) => {
    report(0.25, 'unpacking');
    return lasting(10_000)();
  });
  await vi.advanceTimersByTimeAsync(5000);
  const frame = written.slice(written.lastIndexOf('\x1b[J') + 3);
  expect(frame).toBe('  █████░░░░░░░░░░░░░░░ one · 15 s left\n  █████░░░░░░░░░░░░░░░ two · 15 s left · unpacking\n');
  await vi.advanceTimersByTimeAsync(5000);
  await Promise.all([one, two]);
  expect(written.endsWith('  ✓ two (10 s)\n')).toBe(true);
});

test.each([
  [0.04, '0.0 s'],
  [9.94, '9.9 s'],
  [59.4, '59 s'],
  [60, '1 min'],
  [365, '6 min 5 s'],
])('%f seconds are "%s"', (duration, text) => expect(pretty(duration)).toBe(text));
