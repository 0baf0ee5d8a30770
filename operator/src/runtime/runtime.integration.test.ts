import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startController } from './controller.ts';
import { isAlreadyExists, isConflict, isGone, isInvalid, isNotFound } from './errors.ts';
import { createEventRecorder, kubeEvents } from './events.ts';
import { createLeaderElection } from './leader.ts';
import { createReflector, waitForSync } from './reflector.ts';
import { keyOf } from './resource.ts';
import { type LiveCluster, openLiveCluster } from './testing/live-cluster.ts';
import type { Widget } from './testing/widgets.ts';

let cluster: LiveCluster;
beforeAll(async () => {
  cluster = await openLiveCluster();
});
afterAll(async () => {
  await cluster?.close();
});

const draft = (name: string, colour = 'red') => ({
  metadata: { namespace: cluster.namespace, name },
  spec: { colour },
});

describe('the client against a real API server', () => {
  it('creates, patches a status by its difference, and tells lost races from taken names', async () => {
    const { kube, widgets, namespace } = cluster;
    const made = await kube.create(widgets, draft('a'));
    expect(made.metadata).toMatchObject({ name: 'a', namespace });
    const first = await kube.patchStatus(widgets, made, { phase: 'Running', note: 'x' });
    const second = await kube.patchStatus(widgets, first, { phase: 'Done' });
    const stored = await kube.get(widgets, { namespace, name: 'a' });
    expect(stored.status).toEqual({ phase: 'Done' });
    expect(stored.spec).toEqual({ colour: 'red' });
    // The answer to a status patch is metadata only: what is put together from it equals what is stored.
    expect(JSON.parse(JSON.stringify(second))).toEqual(JSON.parse(JSON.stringify(stored)));

    await expect(kube.patchStatus(widgets, made, { phase: 'Late' })).rejects.toSatisfy(isConflict);
    await expect(kube.create(widgets, draft('a'))).rejects.toSatisfy(isAlreadyExists);
    await expect(kube.update(widgets, { ...made, spec: { colour: 'blue' } })).rejects.toSatisfy(isConflict);
    await expect(kube.create(widgets, draft('Not A Name'))).rejects.toSatisfy(isInvalid);
    await expect(kube.delete(widgets, { namespace, name: 'a' }, { uid: 'another' })).rejects.toSatisfy(isConflict);
    await kube.delete(widgets, { namespace, name: 'a' }, { uid: made.metadata.uid });
    await expect(kube.get(widgets, { namespace, name: 'a' })).rejects.toSatisfy(isNotFound);
  });

  it('needs no more connections than its limit for hundreds of requests', async () => {
    const { kube, widgets } = cluster;
    await Promise.all(Array.from({ length: 200 }, (_, i) => kube.create(widgets, draft(`many-${i}`))));
    const opened = kube.stats.connectionsOpened;
    expect(opened).toBeLessThanOrEqual(32);
    await Promise.all(Array.from({ length: 200 }, () => kube.list(widgets, { limit: 1 })));
    expect(kube.stats.connectionsOpened).toBe(opened);
  });

  it('watching from a version that etcd does not have any more is Gone', async () => {
    const { kube, widgets } = cluster;
    const watch = kube.watch(widgets, { resourceVersion: '1', timeoutSeconds: 5 }, () => undefined);
    await expect(watch).rejects.toSatisfy(isGone);
  });
});

describe('reflector and controller against a real API server', () => {
  it('bring every object to its end, and their view to the truth', async () => {
    const { kube, widgets, namespace } = cluster;
    const stop = new AbortController();
    const reflector = createReflector<Widget, 'phase'>({
      kube,
      resource: widgets,
      namespace,
      pageSize: 50,
      indexes: { phase: (object) => object.status?.phase ?? 'New' },
    });
    const running = reflector.run(stop.signal);
    const next: Record<string, string> = { New: 'Running', Running: 'Done' };
    const controller = startController({
      name: 'widgets',
      workers: 8,
      reconcile: async (key) => {
        const object = reflector.store.get(key);
        const phase = object && next[object.status?.phase ?? 'New'];
        if (object === undefined || phase === undefined) return;
        reflector.store.applyWrite(await kube.patchStatus(widgets, object, { phase }));
      },
    });
    reflector.store.onChange((old, object) => controller.enqueue(keyOf((object ?? old) as Widget)));
    await waitForSync([reflector]);
    await Promise.all(Array.from({ length: 100 }, (_, i) => kube.create(widgets, draft(`flow-${i}`))));
    const total = (await kube.list(widgets, { namespace })).items.length;
    expect(total).toBeGreaterThanOrEqual(100);
    await expect.poll(() => reflector.store.keysBy('phase', 'Done').length, { timeout: 30_000 }).toBe(total);
    const listed = await kube.list(widgets, { namespace });
    const versions = (objects: Iterable<Widget>) =>
      new Map([...objects].map((object) => [keyOf(object), object.metadata.resourceVersion]));
    await expect.poll(() => versions(reflector.store.values())).toEqual(versions(listed.items));
    await controller.stop();
    stop.abort();
    await running;
  });
});

describe('election and events against a real API server', () => {
  it('hands the lease over on release, with a higher epoch, and guards writes', async () => {
    const { kube, widgets, namespace } = cluster;
    const candidate = (identity: string) => {
      const election = createLeaderElection({ kube, namespace, name: 'operator', identity, retryMs: 200 });
      const stop = new AbortController();
      return { election, stop, ended: election.run(stop.signal) };
    };
    const a = candidate('a');
    await a.election.acquired;
    const b = candidate('b');
    const guarded = kube.guardedBy(b.election);
    await expect(guarded.create(widgets, draft('guarded'))).rejects.toThrow('does not hold the lease');
    a.stop.abort();
    await a.ended;
    expect((await b.election.acquired).epoch).toBe(a.election.epoch + 1);
    await guarded.create(widgets, draft('guarded'));
    b.stop.abort();
    await b.ended;
  });

  it('writes Events that the API server accepts, and their series', async () => {
    const { kube, widgets, namespace } = cluster;
    const about = await kube.create(widgets, draft('storied'));
    const recorder = createEventRecorder({ kube, component: 'millwright.dev/operator', instance: 'test', delayMs: 0 });
    recorder.warning(about, 'AttemptFailed', 'é'.repeat(2_000));
    recorder.warning(about, 'AttemptFailed', 'é'.repeat(2_000));
    recorder.normal(about, 'Queued', 'waits');
    await recorder.stop();
    const events = await kube.list(kubeEvents, { namespace });
    const told = events.items.filter(({ regarding }) => regarding.uid === about.metadata.uid);
    expect(told.map(({ reason }) => reason).sort()).toEqual(['AttemptFailed', 'Queued']);
    expect(told.find(({ reason }) => reason === 'AttemptFailed')?.series?.count).toBe(2);
  });
});
