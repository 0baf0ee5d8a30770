import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { createKubeClient, type KubeClient } from './kube.ts';
import { noMetrics } from './metrics.ts';
import { createReflector, type Reflector, type ReflectorOptions, waitForSync } from './reflector.ts';
import { type FakeApiServer, json, refusal, startFakeApiServer } from './testing/fake-api-server.ts';
import type { LineFault } from './testing/fake-watch.ts';
import { type Widget, widgets } from './testing/widgets.ts';

let server: FakeApiServer;
let kube: KubeClient;
let stop: AbortController;
let running: Promise<void>;
let restarts: string[];

beforeEach(async () => {
  server = await startFakeApiServer();
  kube = await createKubeClient({ credentials: server.credentials });
  stop = new AbortController();
  running = Promise.resolve();
  restarts = [];
});
afterEach(async () => {
  stop.abort();
  await running;
  await kube.close();
  await server.close();
});

/** A reflector that runs, with short waits. */
function run(options: Partial<ReflectorOptions<Widget, never>> = {}): Reflector<Widget> {
  const metrics = { ...noMetrics, watchRestart: (_kind: string, reason: string) => restarts.push(reason) };
  const reflector = createReflector<Widget>({ kube, resource: widgets, random: () => 0.01, metrics, ...options });
  running = reflector.run(stop.signal);
  return reflector;
}
const put = (name: string, colour = 'red') => server.put('default', name, { spec: { colour } });
const truth = () => new Map([...server.objects].map(([key, object]) => [key, object.metadata.resourceVersion]));
const held = (reflector: Reflector<Widget>) =>
  new Map(
    reflector.store.list().map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, metadata.resourceVersion]),
  );
const same = (reflector: Reflector<Widget>) => expect.poll(() => held(reflector), { interval: 5 }).toEqual(truth());
const lists = () => server.requests.filter(({ path }) => !path.includes('watch=true'));
const watches = () => server.requests.filter(({ path }) => path.includes('watch=true'));

describe('a reflector', () => {
  it('lists page by page, then follows', async () => {
    for (let i = 0; i < 12; i += 1) put(`w${i}`);
    const reflector = run({ pageSize: 5 });
    await waitForSync([reflector]);
    expect(reflector.store.size).toBe(12);
    expect(lists().length).toBe(3);
    put('w3', 'blue');
    put('new');
    server.remove('default', 'w0');
    await same(reflector);
    expect(reflector.store.get('default/w3')?.spec.colour).toBe('blue');
    expect(reflector.store.get('default/w3')?.metadata).not.toHaveProperty('managedFields', expect.anything());
    expect(lists().length).toBe(3);
    const query = new URLSearchParams(watches()[0]?.path.split('?')[1]);
    expect(query.get('allowWatchBookmarks')).toBe('true');
    expect(Number(query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
    expect(Number(query.get('timeoutSeconds'))).toBeLessThanOrEqual(600);
  });

  it('asks for its namespace and selectors', async () => {
    const reflector = run({ namespace: 'team', labelSelector: 'a=b', fieldSelector: 'metadata.name=x' });
    await reflector.synced;
    await expect.poll(() => watches().length).toBe(1);
    for (const { path } of server.requests) {
      expect(path).toContain('/namespaces/team/widgets?');
      expect(path).toContain('labelSelector=a%3Db');
      expect(path).toContain('fieldSelector=metadata.name%3Dx');
    }
  });

  it('resumes from the last version after the server ends the watch or cuts it, without listing', async () => {
    const reflector = run();
    await reflector.synced;
    for (const fault of ['end', 'cut', 'truncate'] as const) {
      let once = true;
      server.watchFaults.line = () => {
        if (!once) return undefined;
        once = false;
        return fault;
      };
      await expect.poll(() => server.watchers.size).toBe(1);
      put('a', fault);
      await same(reflector);
      expect(reflector.store.get('default/a')?.spec.colour).toBe(fault);
    }
    expect(lists().length).toBe(1);
  });

  it('resumes from the newest version it saw, although older events were replayed after it', async () => {
    const reflector = run();
    await reflector.synced;
    await expect.poll(() => server.watchers.size).toBe(1);
    for (const colour of ['red', 'green']) put('a', colour);
    server.watchFaults.line = () => 'replay';
    const newest = put('a', 'blue').metadata.resourceVersion;
    await same(reflector);
    for (const watcher of server.watchers) watcher.end();
    await expect.poll(() => watches().length).toBe(2);
    expect(watches().at(-1)?.path).toContain(`resourceVersion=${newest}&`);
  });

  it('resumes from a bookmark', async () => {
    const reflector = run();
    await reflector.synced;
    await expect.poll(() => server.watchers.size).toBe(1);
    for (const watcher of server.watchers) watcher.bookmark(777);
    for (const watcher of server.watchers) watcher.end();
    await expect.poll(() => watches().at(-1)?.path).toContain('resourceVersion=777');
    expect(reflector.hasSynced()).toBe(true);
  });

  it('lists again on 410, be it a status or an event in the stream', async () => {
    const reflector = run();
    await reflector.synced;
    await expect.poll(() => server.watchers.size).toBe(1);
    server.watchFaults.line = () => 'expired';
    put('a');
    await expect.poll(() => lists().length).toBeGreaterThanOrEqual(2);
    server.watchFaults.line = undefined;
    await same(reflector);

    await expect.poll(() => server.watchers.size).toBe(1);
    const before = lists().length;
    let left = 1;
    server.fault = (_request, response, url) => {
      if (url.searchParams.get('watch') !== 'true' || left <= 0) return false;
      left -= 1;
      const { status, body } = refusal(410, 'Expired', 'too old');
      json(response, status, body);
      return true;
    };
    server.cut();
    put('b');
    await same(reflector);
    expect(lists().length).toBeGreaterThan(before);
  });

  it('takes everything in one answer when the continue token expires', async () => {
    for (let i = 0; i < 10; i += 1) put(`w${i}`);
    server.fault = (_request, response, url) => {
      if (!url.searchParams.has('continue')) return false;
      const { status, body } = refusal(410, 'Expired', 'the continue token has expired');
      json(response, status, body);
      return true;
    };
    const reflector = run({ pageSize: 4 });
    await reflector.synced;
    await same(reflector);
    expect(lists().map(({ path }) => /limit|continue/.exec(path)?.[0])).toEqual(['limit', 'limit', undefined]);
  });

  it('notices a silent watch and lists again', async () => {
    const reflector = run({ silenceMs: 80 });
    await reflector.synced;
    await expect.poll(() => server.watchers.size).toBe(1);
    server.watchFaults.silent = true;
    put('a');
    await same(reflector);
    expect(restarts).toContain('silent');
    expect(lists().length).toBeGreaterThanOrEqual(2);
  });

  it('lists again when the watch has been trusted long enough: lost events are made good', async () => {
    const reflector = run({ relistMs: 100 });
    put('old');
    await reflector.synced;
    server.watchFaults.line = () => 'drop';
    put('a');
    server.remove('default', 'old');
    await same(reflector);
  });

  it('does not take an object for deleted that was written while a list was under way', async () => {
    put('a');
    const reflector = run({ relistMs: 50 });
    await reflector.synced;
    const deleted: string[] = [];
    reflector.store.onChange((old, next) => {
      if (next === undefined) deleted.push(old?.metadata.name ?? '');
    });
    // Each list is answered as of before the write, but arrives after it.
    server.watchFaults.line = () => 'drop';
    const before = lists().length;
    server.fault = (_request, response, url) => {
      if (url.searchParams.get('watch') === 'true') return false;
      const version = Number([...server.objects.values()].at(-1)?.metadata.resourceVersion);
      const items = [...server.objects.values()].filter(({ metadata }) => metadata.name === 'a');
      reflector.store.applyWrite(put('mine') as Widget);
      json(response, 200, { metadata: { resourceVersion: String(version) }, items });
      return true;
    };
    await expect.poll(() => lists().length).toBeGreaterThan(before + 2);
    expect(deleted).toEqual([]);
    expect(reflector.store.has('default/mine')).toBe(true);
  });

  it('keeps trying while lists fail, and waits as told', async () => {
    let refusals = 3;
    server.fault = (_request, response) => {
      if (refusals <= 0) return false;
      refusals -= 1;
      const { status, body } = refusal(500, 'InternalError', 'etcd is away');
      json(response, status, body, refusals === 2 ? {} : { 'retry-after': '0' });
      return true;
    };
    const reflector = run();
    await expect(waitForSync([reflector], { timeoutMs: 20 })).rejects.toThrow('Widget');
    await reflector.synced;
  });

  it('does not reopen in a tight loop a watch that ends at once', async () => {
    server.fault = (_request, response, url) => {
      if (url.searchParams.get('watch') !== 'true') return false;
      response.writeHead(200).end();
      return true;
    };
    const reflector = run({ random: () => 0.9 });
    await reflector.synced;
    await expect.poll(() => restarts.length).toBeGreaterThanOrEqual(2);
    expect(watches().length).toBeLessThan(6);
    expect(new Set(restarts)).toEqual(new Set(['ShortWatch']));
  });

  it('tells how long the API server has been quiet', async () => {
    let ahead = 0;
    const reflector = run({ clock: { ...systemClock, now: () => systemClock.now() + ahead } });
    await reflector.synced;
    await expect.poll(() => server.watchers.size).toBe(1);
    ahead = 100_000;
    expect(reflector.watchAgeMs()).toBeGreaterThanOrEqual(100_000);
    put('a');
    await same(reflector);
    expect(reflector.watchAgeMs()).toBeLessThan(50_000);
  });

  it('ends when told, whatever it is doing', async () => {
    server.fault = () => true;
    run();
    await expect.poll(() => server.requests.length).toBe(1);
    stop.abort();
    await running;
  });
});

it('a reflector ends with the truth whatever goes wrong on the way', async () => {
  const fault = fc.option(
    fc.constantFrom<LineFault>('duplicate', 'truncate', 'replay', 'garbage', 'expired', 'error', 'cut', 'end', 'drop'),
    { nil: undefined, freq: 2 },
  );
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    remove: fc.boolean(),
    ours: fc.boolean(),
    fault,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const faulty = await startFakeApiServer();
      const client = await createKubeClient({ credentials: faulty.credentials, random: () => 0.01 });
      const end = new AbortController();
      const reflector = createReflector<Widget>({
        kube: client,
        resource: widgets,
        random: () => 0.01,
        pageSize: 2,
        relistMs: 150,
      });
      const ended = reflector.run(end.signal);
      let last = new Map<string, string>();
      reflector.store.onChange((old, next) => {
        const object = (next ?? old) as Widget;
        const version = Number(object.metadata.resourceVersion);
        // No change may go back behind one that was told before.
        expect(version).toBeGreaterThanOrEqual(Number(last.get(object.metadata.name) ?? 0));
        last = last.set(object.metadata.name, String(version));
      });
      try {
        await expect.poll(() => faulty.watchers.size, { interval: 2 }).toBe(1);
        for (const now of steps) {
          faulty.watchFaults.line = () => {
            faulty.watchFaults.line = undefined;
            return now.fault;
          };
          if (now.remove) faulty.remove('default', now.name);
          else {
            const written = faulty.put('default', now.name, { spec: { colour: 'red' } }) as Widget;
            if (now.ours) reflector.store.applyWrite({ ...written, metadata: { ...written.metadata } });
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
        faulty.watchFaults.line = undefined;
        const wanted = new Map([...faulty.objects].map(([key, object]) => [key, object.metadata.resourceVersion]));
        await expect
          .poll(
            () =>
              new Map(reflector.store.list().map((o) => [`default/${o.metadata.name}`, o.metadata.resourceVersion])),
            {
              timeout: 5_000,
              interval: 5,
            },
          )
          .toEqual(wanted);
      } finally {
        end.abort();
        await ended;
        await client.close();
        await faulty.close();
      }
    }),
    { numRuns: 30 },
  );
}, 60_000);
