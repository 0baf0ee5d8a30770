import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeError } from './errors.ts';
import type { KubeClient } from './kube.ts';
import { createLeaderElection, type LeaderElectionOptions, LeaseLostError } from './leader.ts';
import type { Lease } from './lease.ts';
import { type FakeClock, fakeClock } from './testing/fake-clock.ts';

/** How requests of one client fail: not carried out, carried out with the answer lost, or never answered. */
type Fault = 'before' | 'after' | 'hang';

/** The part of the API server that an election uses: one Lease with compare-and-set. */
function leaseServer(clock: FakeClock) {
  let version = 0;
  const server = { lease: undefined as Lease | undefined, writes: 0, client };
  const refused = (status: number, reason: string) =>
    new KubeError({ status, reason, detail: '' }, { method: 'PUT', path: '/' });

  /** A client whose connection to the server fails on its own. */
  function client() {
    const link = { fault: undefined as Fault | undefined, kube: undefined as unknown as KubeClient };
    const reach = (timeoutMs: number): Promise<void> => {
      if (link.fault === 'before') return Promise.reject(refused(0, 'ECONNREFUSED'));
      if (link.fault !== 'hang') return Promise.resolve();
      return new Promise((_, reject) => clock.after(timeoutMs, () => reject(refused(0, 'Timeout'))));
    };
    const store = (next: Lease): Lease => {
      version += 1;
      server.writes += 1;
      server.lease = { ...next, metadata: { ...next.metadata, resourceVersion: String(version) } };
      if (link.fault === 'after') throw refused(0, 'ECONNRESET');
      return server.lease;
    };
    const calls = {
      get: async (_resource: unknown, _ref: unknown, options: { timeoutMs: number }) => {
        await reach(options.timeoutMs);
        if (server.lease === undefined) throw refused(404, 'NotFound');
        return server.lease;
      },
      create: async (_resource: unknown, draft: Lease, options: { timeoutMs: number }) => {
        await reach(options.timeoutMs);
        if (server.lease !== undefined) throw refused(409, 'AlreadyExists');
        return store(draft);
      },
      update: async (_resource: unknown, next: Lease, options: { timeoutMs: number }) => {
        await reach(options.timeoutMs);
        if (server.lease === undefined) throw refused(404, 'NotFound');
        if (server.lease.metadata.resourceVersion !== next.metadata.resourceVersion) throw refused(409, 'Conflict');
        return store(next);
      },
    };
    link.kube = calls as unknown as KubeClient;
    return link;
  }
  return server;
}

let clock: FakeClock;
let server: ReturnType<typeof leaseServer>;
let stops: AbortController[];
beforeEach(() => {
  clock = fakeClock();
  server = leaseServer(clock);
  stops = [];
});
afterEach(async () => {
  for (const stop of stops) stop.abort();
  await clock.advance(0);
});

function candidate(identity: string, options: Partial<LeaderElectionOptions> = {}) {
  const link = server.client();
  const election = createLeaderElection({
    kube: link.kube,
    namespace: 'default',
    name: 'operator',
    identity,
    clock,
    random: () => 0,
    ...options,
  });
  const stop = new AbortController();
  stops.push(stop);
  const losses: string[] = [];
  election.onLost((reason) => losses.push(reason));
  let ended = false;
  const start = () =>
    election.run(stop.signal).then(() => {
      ended = true;
    });
  return { election, link, stop, losses, start, hasEnded: () => ended };
}

describe('an election', () => {
  it('is won by one of two; the other takes over at once when the lease is released, with a higher epoch', async () => {
    const [a, b] = [candidate('a'), candidate('b')];
    a.start();
    b.start();
    await clock.advance(0);
    expect([a.election.isLeader(), b.election.isLeader()]).toEqual([true, false]);
    expect(await a.election.acquired).toEqual({ epoch: 1 });
    await clock.advance(60_000);
    expect([a.election.writesAllowed(), b.election.writesAllowed()]).toEqual([true, false]);
    a.stop.abort();
    await clock.advance(2_000);
    expect(a.hasEnded()).toBe(true);
    expect([a.election.writesAllowed(), b.election.writesAllowed()]).toEqual([false, true]);
    expect(b.election.epoch).toBe(2);
    expect(a.losses).toEqual([]);
    expect(a.election.signal.aborted).toBe(true);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 2, leaseDurationSeconds: 15 });
    expect(server.lease?.spec?.renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  const outages = [
    { name: 'writes are refused', fault: 'before' },
    { name: 'writes hang', fault: 'hang' },
  ] as const;
  it.each(outages)(
    '$name: writing ends within the renew deadline and before anyone else may lead',
    async ({ fault }) => {
      const [a, b] = [candidate('a'), candidate('b')];
      a.start();
      b.start();
      await clock.advance(4_000);
      a.link.fault = fault;
      const brokenAt = clock.now();
      await clock.advance(9_000);
      expect(a.election.isLeader()).toBe(true);
      await clock.advance(1_100);
      expect(a.election.writesAllowed()).toBe(false);
      expect(a.election.signal.reason).toBeInstanceOf(LeaseLostError);
      expect(a.losses).toEqual(['not renewed for 10000 ms']);
      expect(a.hasEnded()).toBe(true);
      a.link.fault = undefined;
      while (!b.election.isLeader()) await clock.advance(100);
      // The last renewal was at most one retry before the outage; the lease runs from then.
      expect(clock.now() - brokenAt).toBeGreaterThan(15_000 - 2_000);
      expect(clock.now() - brokenAt).toBeLessThan(15_000 + 4_500);
      expect(b.election.epoch).toBe(2);
    },
  );

  it('survives a short outage, and a renewal whose answer was lost', async () => {
    const a = candidate('a');
    a.start();
    await clock.advance(0);
    for (const fault of ['before', 'after'] as const) {
      a.link.fault = fault;
      await clock.advance(5_000);
      a.link.fault = undefined;
      await clock.advance(5_000);
      expect(a.election.writesAllowed()).toBe(true);
    }
    expect(a.losses).toEqual([]);
    expect(server.lease?.spec?.leaseTransitions).toBe(1);
  });

  it('a process that was frozen finds writing forbidden before any of its timers has run', async () => {
    const a = candidate('a');
    a.start();
    await clock.advance(3_000);
    expect(a.election.writesAllowed()).toBe(true);
    clock.freeze(10_000);
    expect(a.election.writesAllowed()).toBe(false);
    const writes = server.writes;
    await clock.advance(1);
    expect(a.losses).toEqual(['not renewed for 10000 ms']);
    expect(server.writes).toBe(writes);
  });

  it('a lease taken by another ends the term at the next renewal', async () => {
    const a = candidate('a');
    a.start();
    await clock.advance(0);
    const lease = server.lease as Lease;
    server.lease = {
      ...lease,
      metadata: { ...lease.metadata, resourceVersion: '99' },
      spec: { ...lease.spec, holderIdentity: 'thief', leaseTransitions: 2 },
    };
    await clock.advance(2_000);
    expect(a.losses).toEqual(['thief holds the lease']);
  });

  it('a deleted Lease neither ends the term that others saw nor starts epochs anew', async () => {
    const [a, b] = [candidate('a'), candidate('b')];
    a.start();
    b.start();
    await clock.advance(6_000);
    server.lease = undefined;
    await clock.advance(2_000);
    expect(a.losses).toEqual(['the Lease was deleted']);
    expect(b.election.isLeader()).toBe(false);
    await clock.advance(16_000);
    expect(b.election.isLeader()).toBe(true);
    expect(b.election.epoch).toBe(2);
  });

  it('the same identity, come back, leads with a new epoch', async () => {
    const first = candidate('a');
    first.start();
    await clock.advance(0);
    const second = candidate('a');
    second.start();
    await clock.advance(0);
    expect(second.election.epoch).toBe(2);
    await clock.advance(2_000);
    expect(first.losses).toEqual(['a holds the lease']);
  });

  it('believes its own clock only: a holder whose clock is years behind is waited for', async () => {
    const a = candidate('a');
    a.start();
    await clock.advance(0);
    const b = candidate('b', { clock: { ...clock, wall: () => Date.UTC(2040, 0, 1) } });
    b.start();
    await clock.advance(30_000);
    expect([a.election.isLeader(), b.election.isLeader()]).toEqual([true, false]);
  });

  it('a candidate told to stop ends without having led', async () => {
    const [a, b] = [candidate('a'), candidate('b')];
    a.start();
    b.start();
    await clock.advance(0);
    b.stop.abort();
    await clock.advance(0);
    expect(b.hasEnded()).toBe(true);
    expect(server.lease?.spec?.holderIdentity).toBe('a');
  });

  it('refuses times that could let two lead', () => {
    expect(() => candidate('a', { renewDeadlineMs: 15_000 })).toThrow(RangeError);
  });
});
