import { silentLogger } from '@millwright/otel';
import { afterEach, expect, it } from 'vitest';
import { createShutdown, type Shutdown, type ShutdownOptions } from './shutdown.ts';
import { fakeClock, settle } from './testing/fake-clock.ts';

let shutdown: Shutdown;
let codes: number[];
afterEach(() => shutdown.detach());

function start(options: Partial<ShutdownOptions> = {}) {
  codes = [];
  shutdown = createShutdown({
    logger: silentLogger,
    signals: ['SIGUSR2'],
    exit: (code) => codes.push(code),
    ...options,
  });
  return shutdown;
}

it('runs the steps one after the other, the last added first, whatever one of them does', async () => {
  const order: string[] = [];
  start();
  shutdown.add('first', async () => {
    await settle();
    order.push('first');
  });
  shutdown.add('faulty', () => {
    throw new Error('boom');
  });
  shutdown.add('last', async () => {
    await settle();
    order.push('last');
    expect(shutdown.signal.aborted).toBe(true);
  });
  shutdown.begin('lease lost', 3);
  shutdown.begin('again', 0);
  expect(await shutdown.done).toBe(3);
  expect(order).toEqual(['last', 'first']);
  expect(codes).toEqual([3]);
});

it('leaves when time is up', async () => {
  const clock = fakeClock();
  start({ clock, graceMs: 5_000 });
  shutdown.add('hangs', () => new Promise(() => undefined));
  shutdown.begin('test', 0);
  await clock.advance(4_999);
  expect(codes).toEqual([]);
  await clock.advance(1);
  expect(codes).toEqual([0]);
});

it('begins on a signal, and a second one ends the process at once', async () => {
  start();
  shutdown.add('hangs', () => new Promise(() => undefined));
  process.kill(process.pid, 'SIGUSR2');
  await expect.poll(() => shutdown.signal.aborted).toBe(true);
  expect(codes).toEqual([]);
  process.kill(process.pid, 'SIGUSR2');
  await expect.poll(() => codes).toEqual([1]);
});
