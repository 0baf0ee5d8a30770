import { afterEach, expect, it } from 'vitest';
import { type Health, startHealth } from './health.ts';

let health: Health;
afterEach(() => health.close());
const get = async (path: string) => (await fetch(`http://127.0.0.1:${health.port}${path}`)).status;

it('holds the answer until the process is ready', async () => {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  health = await startHealth({ listen: { port: 0 }, ready });
  let answered = false;
  const asked = get('/readyz').finally(() => {
    answered = true;
  });
  // The server has seen the first question by the time it answers the second.
  expect(await get('/healthz')).toBe(200);
  expect(answered).toBe(false);
  resolve();
  expect(await asked).toBe(200);
  expect(await get('/readyz')).toBe(200);
});

it('says in time that it is not ready', async () => {
  health = await startHealth({ listen: { port: 0 }, ready: new Promise(() => {}), holdMs: 20 });
  expect(await get('/readyz')).toBe(503);
  expect(await get('/elsewhere')).toBe(404);
});
