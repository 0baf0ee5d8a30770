import { afterEach, describe, expect, it } from 'vitest';
import { type HealthServerOptions, loopLagCheck, startHealthServer, syncedCheck, watchAgeCheck } from './health.ts';
import { widgets } from './testing/widgets.ts';

let close: (() => Promise<void>) | undefined;
afterEach(async () => {
  await close?.();
});

async function serve(options: Partial<HealthServerOptions>) {
  const server = await startHealthServer({ port: 0, host: '127.0.0.1', live: [], ready: [], ...options });
  close = server.close;
  return async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: response.status, text: await response.text() };
  };
}

describe('the health server', () => {
  it('answers for liveness and readiness apart, and names what is wrong', async () => {
    const get = await serve({
      live: [{ name: 'fine', check: () => undefined }],
      ready: [
        { name: 'broker', check: async () => 'connection refused' },
        {
          name: 'faulty',
          check: () => {
            throw new Error('boom');
          },
        },
      ],
    });
    expect(await get('/healthz')).toEqual({ status: 200, text: '[+] fine\n' });
    expect(await get('/readyz?verbose')).toEqual({
      status: 503,
      text: '[-] broker: connection refused\n[-] faulty: boom\n',
    });
    expect((await get('/metrics')).status).toBe(404);
  });

  it('serves metrics, and survives their failure', async () => {
    let broken = false;
    const get = await serve({
      metrics: async () => {
        if (broken) throw new Error('broken');
        return 'up 1\n';
      },
    });
    expect(await get('/metrics')).toEqual({ status: 200, text: 'up 1\n' });
    broken = true;
    expect((await get('/metrics')).status).toBe(500);
    broken = false;
    expect((await get('/metrics')).status).toBe(200);
  });
});

describe('checks', () => {
  it('watch ages and first lists name the kinds that are behind', async () => {
    const behind = { resource: widgets, watchAgeMs: () => 500_000, hasSynced: () => false };
    const fine = { resource: widgets, watchAgeMs: () => 1, hasSynced: () => true };
    expect(watchAgeCheck([fine], 300_000).check()).toBeUndefined();
    expect(watchAgeCheck([fine, behind], 300_000).check()).toBe('Widget unheard of for 500000 ms');
    expect(syncedCheck([fine]).check()).toBeUndefined();
    expect(syncedCheck([fine, behind]).check()).toBe('not listed yet: Widget');
  });

  it('loop lag tells of one long hold-up, once', async () => {
    const check = loopLagCheck(100);
    // The first of its ticks only starts the measurement, and a slow start delays it.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve, 50));
    const until = performance.now() + 200;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(check.check()).toMatch(/^held up for/);
    expect(check.check()).toBeUndefined();
  });
});
