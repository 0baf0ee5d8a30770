import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Credentials } from './credentials.ts';
import {
  isAlreadyExists,
  isConflict,
  isGone,
  isNotFound,
  isTooManyRequests,
  isUnanswered,
  type KubeError,
  WritesForbiddenError,
} from './errors.ts';
import { createKubeClient, type KubeClient } from './kube.ts';
import { type FakeApiServer, json, refusal, startFakeApiServer } from './testing/fake-api-server.ts';
import { widgets } from './testing/widgets.ts';

let server: FakeApiServer;
let kube: KubeClient;
const ref = { namespace: 'default', name: 'a' };

beforeEach(async () => {
  server = await startFakeApiServer();
  kube = await createKubeClient({ credentials: server.credentials, connections: 4, random: () => 0 });
});
afterEach(async () => {
  await kube.close();
  await server.close();
});

const create = (name: string) =>
  kube.create(widgets, { metadata: { namespace: 'default', name }, spec: { colour: 'red' } });

describe('connections', () => {
  it('are reused: hundreds of calls, one after the other and at once, need no more than the limit', async () => {
    for (let i = 0; i < 50; i += 1) await create(`serial-${i}`);
    // undici lets a socket rest for one turn of the event loop, so a second one may serve in turn with it.
    expect(server.connections).toBeLessThanOrEqual(2);
    for (let i = 0; i < 50; i += 1) await kube.delete(widgets, { namespace: 'default', name: `serial-${i}` });
    expect(server.connections).toBeLessThanOrEqual(2);
    await Promise.all(Array.from({ length: 300 }, (_, i) => create(`parallel-${i}`)));
    expect(server.connections).toBeLessThanOrEqual(4);
    expect(kube.stats.connectionsOpened).toBe(server.connections);
  });

  it('of watches do not keep calls waiting', async () => {
    const stop = new AbortController();
    const watches = Array.from({ length: 6 }, () =>
      kube
        .watch(widgets, { resourceVersion: '100', timeoutSeconds: 60, signal: stop.signal }, () => undefined)
        .catch((error: unknown) => error),
    );
    await expect.poll(() => server.watchers.size).toBe(6);
    expect((await create('a')).metadata.name).toBe('a');
    stop.abort();
    for (const end of await Promise.all(watches)) expect(isUnanswered(end)).toBe(true);
  });

  it('are replaced when the credentials name another server, and headers when only the token has changed', async () => {
    const second = await startFakeApiServer();
    let connection = { server: server.url, tls: {}, headers: { authorization: 'Bearer one' } };
    const credentials: Credentials = { source: 'test', namespace: undefined, read: async () => connection };
    const rotating = await createKubeClient({ credentials });
    const seen: (string | undefined)[] = [];
    for (const fake of [server, second]) {
      fake.fault = (request, response) => {
        seen.push(request.headers.authorization);
        if (request.headers.authorization !== 'Bearer one') return false;
        const { status, body } = refusal(401, 'Unauthorized', 'token expired');
        json(response, status, body);
        return true;
      };
    }
    const serving = server.fault;
    server.fault = undefined;
    await Promise.all(Array.from({ length: 8 }, () => rotating.list(widgets)));
    const opened = server.connections;
    server.fault = serving;
    connection = { ...connection, headers: { authorization: 'Bearer two' } };
    await rotating.list(widgets);
    expect(seen).toEqual(['Bearer one', 'Bearer two']);
    expect(server.connections).toBe(opened);

    connection = { server: second.url, tls: {}, headers: { authorization: 'Bearer three' } };
    server.fault = (_request, response) => {
      json(response, 401, {});
      return true;
    };
    await rotating.list(widgets);
    expect(second.connections).toBe(1);
    expect(seen.at(-1)).toBe('Bearer three');
    await rotating.close();
    await second.close();
  });
});

describe('calls', () => {
  it('create, get, list and delete, with managedFields dropped and types completed', async () => {
    const made = await create('a');
    expect(made).toMatchObject({
      kind: 'Widget',
      metadata: { name: 'a', namespace: 'default' },
      spec: { colour: 'red' },
    });
    expect((await kube.get(widgets, ref)).metadata).not.toHaveProperty('managedFields', expect.anything());
    await create('b');
    const page = await kube.list(widgets, { limit: 1 });
    expect(page.items).toMatchObject([
      { apiVersion: 'test.millwright.dev/v1', kind: 'Widget', metadata: { name: 'a' } },
    ]);
    const rest = await kube.list(widgets, { limit: 1, continue: page.continue ?? '' });
    expect(rest.items.map((item) => item.metadata.name)).toEqual(['b']);
    expect(rest.continue).toBeUndefined();
    await kube.delete(widgets, ref, { uid: made.metadata.uid });
    expect(JSON.parse(server.requests.at(-1)?.body ?? '')).toMatchObject({ preconditions: { uid: made.metadata.uid } });
    await expect(kube.get(widgets, ref)).rejects.toSatisfy(isNotFound);
    await expect(kube.delete(widgets, ref)).rejects.toSatisfy(isNotFound);
  });

  it('patch the status by its difference, with the version it is based on', async () => {
    const first = await kube.patchStatus(widgets, await create('a'), { phase: 'Running', note: 'x' });
    const second = await kube.patchStatus(widgets, first, { phase: 'Done' });
    const sent = server.requests.at(-1);
    expect(sent?.path).toMatch(/widgets\/a\/status$/);
    expect(sent?.contentType).toBe('application/merge-patch+json');
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      metadata: { resourceVersion: first.metadata.resourceVersion },
      status: { phase: 'Done', note: null },
    });
    expect(second.status).toEqual({ phase: 'Done' });
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
    expect(second.spec).toEqual({ colour: 'red' });

    const count = server.requests.length;
    expect(await kube.patchStatus(widgets, second, { phase: 'Done' })).toBe(second);
    expect(server.requests.length).toBe(count);
    await expect(kube.patchStatus(widgets, first, { phase: 'Lost' })).rejects.toSatisfy(isConflict);
  });

  it('tell existing names from lost races', async () => {
    await create('a');
    const error = await create('a').catch((reason: unknown) => reason);
    expect(isAlreadyExists(error)).toBe(true);
    expect(isConflict(error)).toBe(false);
  });
});

describe('failures', () => {
  /** Answers the first `times` requests with a status, then serves. */
  const refuse = (times: number, status: number, headers: Record<string, string> = {}, reason = '') => {
    let left = times;
    server.fault = (_request, response) => {
      if (left <= 0) return false;
      left -= 1;
      json(response, status, { kind: 'Status', reason, message: 'not now' }, headers);
      return true;
    };
  };

  const cases = [
    { name: 'a list on 429 waits as told and is tried again', method: 'list', status: 429, retryAfter: '0', tries: 2 },
    {
      name: 'a create on 429 was not carried out and is tried again',
      method: 'create',
      status: 429,
      retryAfter: '0',
      tries: 2,
    },
    { name: 'a create on 429 without Retry-After is reported', method: 'create', status: 429, tries: 1 },
    { name: 'a list on 503 with Retry-After is tried again', method: 'list', status: 503, retryAfter: '0', tries: 2 },
    {
      name: 'a create on 503 may have been carried out and is reported',
      method: 'create',
      status: 503,
      retryAfter: '0',
      tries: 1,
    },
    { name: 'a list on 500 is reported', method: 'list', status: 500, tries: 1 },
    {
      name: 'a wait beyond the timeout is reported at once',
      method: 'list',
      status: 429,
      retryAfter: '3600',
      tries: 1,
    },
  ] as const;
  it.each(cases)('$name', async ({ method, status, tries, ...rest }) => {
    refuse(1, status, 'retryAfter' in rest ? { 'retry-after': rest.retryAfter } : {});
    const call = method === 'list' ? kube.list(widgets) : create('a');
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(server.requests.length).toBe(tries);
    if (tries > 1) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ status, detail: 'not now' });
    if ('retryAfter' in rest && tries === 1) {
      expect((error as KubeError).retryAfterMs).toBe(Number(rest.retryAfter) * 1000);
    }
  });

  it('that last are reported after a few tries', async () => {
    refuse(100, 429, { 'retry-after': '0' });
    await expect(kube.list(widgets)).rejects.toSatisfy(isTooManyRequests);
    expect(server.requests.length).toBe(4);
  });

  it('are typed also when the body is no Status', async () => {
    server.fault = (_request, response) => {
      response.writeHead(502).end('<html>bad gateway</html>');
      return true;
    };
    const error = await kube.list(widgets).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 502, reason: 'Unknown', detail: '<html>bad gateway</html>' });
  });

  it('by silence end at the timeout and free the connection', async () => {
    server.fault = (request) => request.method === 'POST';
    const error = await kube
      .create(widgets, { metadata: { namespace: 'default', name: 'a' }, spec: { colour: 'red' } }, { timeoutMs: 50 })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 0, reason: 'Timeout' });
    expect((await kube.list(widgets)).items).toEqual([]);
  });

  it('of a connection: a read is tried again, a write that was sent is not', async () => {
    let cuts = 1;
    server.fault = (request) => {
      if (cuts <= 0) return false;
      cuts -= 1;
      request.socket.destroy();
      return true;
    };
    expect((await kube.list(widgets)).items).toEqual([]);
    expect(server.requests.length).toBe(2);
    cuts = 1;
    await expect(create('a')).rejects.toSatisfy(isUnanswered);
    expect(server.requests.length).toBe(3);
  });

  it('while the server is away are reported, and calls work again when it is back', async () => {
    await server.close();
    const error = await kube.list(widgets, { timeoutMs: 2_000 }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 0, reason: 'ECONNREFUSED' });
  });

  it('a caller that gives up is told so', async () => {
    server.fault = () => true;
    const stop = new AbortController();
    const call = kube.get(widgets, ref, { signal: stop.signal }).catch((reason: unknown) => reason);
    await expect.poll(() => server.requests.length).toBe(1);
    stop.abort();
    expect(await call).toMatchObject({ status: 0, reason: 'Aborted' });
    expect(server.requests.length).toBe(1);
    await expect(kube.get(widgets, ref, { signal: stop.signal })).rejects.toMatchObject({ reason: 'Aborted' });
    expect(server.requests.length).toBe(1);
  });

  it('410 is Gone', async () => {
    server.compacted = 1_000;
    const watch = kube.watch(widgets, { resourceVersion: '1', timeoutSeconds: 60 }, () => undefined);
    await expect(watch).rejects.toSatisfy(isGone);
  });
});

describe('a guarded client', () => {
  it('refuses writes without sending them, and reads on', async () => {
    let allowed = true;
    const guarded = kube.guardedBy({ writesAllowed: () => allowed, signal: new AbortController().signal });
    const made = await guarded.create(widgets, { metadata: ref, spec: { colour: 'red' } });
    allowed = false;
    const count = server.requests.length;
    const writes = [
      () => guarded.create(widgets, { metadata: ref, spec: { colour: 'red' } }),
      () => guarded.update(widgets, made),
      () => guarded.patchStatus(widgets, made, { phase: 'x' }),
      () => guarded.patch(widgets, ref, {}),
      () => guarded.delete(widgets, ref),
      () => guarded.raw({ method: 'POST', path: '/api/v1/x' }),
    ];
    for (const write of writes) await expect(write()).rejects.toBeInstanceOf(WritesForbiddenError);
    expect(server.requests.length).toBe(count);
    expect((await guarded.get(widgets, ref)).metadata.uid).toBe(made.metadata.uid);
  });

  it('cuts off writes that are under way or wait for a connection when the signal aborts', async () => {
    server.fault = () => true;
    const loss = new AbortController();
    const guarded = kube.guardedBy({ writesAllowed: () => !loss.signal.aborted, signal: loss.signal });
    const writes = Array.from({ length: 10 }, (_, i) =>
      guarded
        .create(widgets, { metadata: { namespace: 'default', name: `w${i}` }, spec: { colour: 'red' } })
        .catch((reason: unknown) => reason),
    );
    await expect.poll(() => server.requests.length).toBe(4);
    loss.abort();
    for (const error of await Promise.all(writes)) expect(error).toBeInstanceOf(WritesForbiddenError);
    server.fault = undefined;
    await kube.list(widgets);
    expect(server.requests.filter(({ method }) => method === 'POST').length).toBe(4);
  });
});
