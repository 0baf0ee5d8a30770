import { type Logger, silentLogger } from '@millwright/otel';
import { type Clock, sleep, systemClock } from './clock.ts';
import { isConflict, isNotFound } from './errors.ts';
import type { KubeClient, WriteGuard } from './kube.ts';
import { type Lease, type LeaseRecord, leases, leaseWith, microTime } from './lease.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';

export interface LeaderElectionOptions {
  /** The unguarded client: the election itself has to write while it does not lead. */
  kube: KubeClient;
  namespace: string;
  name: string;
  /** Must be unique to this process, not only to its pod. */
  identity: string;
  /** How long others wait after the last renewal they saw; 15,000 by default. */
  leaseMs?: number;
  /** How long this process goes on after its last renewal; less than `leaseMs`; 10,000 by default. */
  renewDeadlineMs?: number;
  /** Between tries to acquire or renew; 2,000 by default. */
  retryMs?: number;
  clock?: Clock;
  random?: () => number;
  logger?: Logger;
  metrics?: RuntimeMetrics;
}

/** The lease was lost or given up; the reason of `LeaderElection.signal`. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** One process's part in the election. It leads at most once: after a loss the process has to exit. */
export interface LeaderElection extends WriteGuard {
  /** Campaigns, then renews. Resolves after a loss, or when `signal` aborts and the lease has been released. */
  run(signal: AbortSignal): Promise<void>;
  readonly acquired: Promise<{ epoch: number }>;
  isLeader(): boolean;
  /** The Lease's `leaseTransitions` while leading: grows with every acquisition by anyone. 0 before. */
  readonly epoch: number;
  /** Called once when the lease is lost, but not when it is released. */
  onLost(listener: (reason: string) => void): void;
}

/**
 * Leader election on a Lease, as client-go does it: times written by others are never compared with our clock, only how
 * long ago we saw the record change (https://pkg.go.dev/k8s.io/client-go/tools/leaderelection). Permission to write is
 * decided by the monotonic clock at each call, so a process that was frozen finds it gone before any timer has run.
 */
export function createLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const { kube, namespace, name, identity } = options;
  const { leaseMs = 15_000, renewDeadlineMs = 10_000, retryMs = 2_000 } = options;
  if (!(retryMs < renewDeadlineMs && renewDeadlineMs < leaseMs)) {
    throw new RangeError('leader election needs retryMs < renewDeadlineMs < leaseMs');
  }
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const logger = (options.logger ?? silentLogger).child({ lease: `${namespace}/${name}`, identity });
  const metrics = options.metrics ?? noMetrics;
  const loss = new AbortController();
  const acquired = Promise.withResolvers<{ epoch: number }>();
  const listeners: ((reason: string) => void)[] = [];
  let leading = false;
  let epoch = 0;
  /** When the request of the last successful renewal was sent: others count from no earlier. */
  let renewedAt = 0;
  let held: Lease | undefined;
  let seen: { record: LeaseRecord; version: string; at: number } | undefined;

  function observe(lease: Lease): void {
    const version = lease.metadata.resourceVersion;
    if (seen?.version !== version) seen = { record: lease.spec ?? {}, version, at: clock.now() };
  }

  function takenByOther(): boolean {
    if (seen === undefined) return false;
    const holder = seen.record.holderIdentity;
    if (!holder || holder === identity) return false;
    const lasts = (seen.record.leaseDurationSeconds ?? leaseMs / 1000) * 1000;
    return clock.now() < seen.at + lasts;
  }

  function record(transitions: number, acquireTime: string): LeaseRecord {
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseMs / 1000),
      acquireTime,
      renewTime: microTime(clock.wall()),
      leaseTransitions: transitions,
    };
  }

  /** One try to become leader; false when someone else leads or was quicker. */
  async function tryAcquire(signal: AbortSignal): Promise<boolean> {
    const request = { signal, timeoutMs: renewDeadlineMs };
    let current: Lease | undefined;
    try {
      current = await kube.get(leases, { namespace, name }, request);
      observe(current);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    // A Lease that somebody deleted does not end the term of the holder we saw, nor start epochs anew.
    if (takenByOther()) return false;
    const sentAt = clock.now();
    const spec = record((seen?.record.leaseTransitions ?? 0) + 1, microTime(clock.wall()));
    try {
      held =
        current === undefined
          ? await kube.create(leases, { metadata: { namespace, name }, spec }, request)
          : await kube.update(leases, leaseWith(current, spec), request);
    } catch (error) {
      if (isConflict(error) || (error as { reason?: string }).reason === 'AlreadyExists') return false;
      throw error;
    }
    renewedAt = sentAt;
    epoch = spec.leaseTransitions ?? 1;
    return true;
  }

  async function campaign(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      try {
        if (await tryAcquire(signal)) return true;
      } catch (error) {
        if (!signal.aborted) logger.warn('cannot campaign for the lease', { error });
      }
      await sleep(clock, retryMs * (1 + 0.2 * random()), signal);
    }
    return false;
  }

  /** One renewal; returns why the lease is lost, if it is. Throws when the API server could not be asked. */
  async function renew(): Promise<string | undefined> {
    const mine = held as Lease;
    const sentAt = clock.now();
    const request = { timeoutMs: Math.max(1, Math.min(retryMs * 2, renewedAt + renewDeadlineMs - sentAt)) };
    const spec = record(epoch, mine.spec?.acquireTime ?? microTime(clock.wall()));
    try {
      held = await kube.update(leases, leaseWith(mine, spec), request);
      renewedAt = sentAt;
      return undefined;
    } catch (error) {
      if (isNotFound(error)) return 'the Lease was deleted';
      if (!isConflict(error)) throw error;
    }
    // Someone touched the Lease, or our own last renewal succeeded although its answer was lost.
    const now = await kube.get(leases, { namespace, name }, request);
    if (now.spec?.holderIdentity !== identity || now.spec.leaseTransitions !== epoch) {
      return `${now.spec?.holderIdentity || 'nobody'} holds the lease`;
    }
    held = now;
    return undefined;
  }

  /** Renews until the signal aborts or the lease is lost; returns why it was. */
  async function hold(signal: AbortSignal): Promise<string | undefined> {
    const deadline = new AbortController();
    const arm = () =>
      clock.after(Math.max(0, renewedAt + renewDeadlineMs - clock.now()), () => {
        if (inTime()) disarm = arm();
        else deadline.abort();
      });
    let disarm = arm();
    const wake = AbortSignal.any([signal, deadline.signal]);
    try {
      while (!signal.aborted) {
        await sleep(clock, retryMs, wake);
        if (signal.aborted) return undefined;
        if (!inTime()) return `not renewed for ${renewDeadlineMs} ms`;
        try {
          const reason = await renew();
          if (reason !== undefined) return reason;
        } catch (error) {
          logger.warn('cannot renew the lease', { error });
        }
      }
      return undefined;
    } finally {
      disarm();
    }
  }

  const inTime = () => clock.now() - renewedAt < renewDeadlineMs;

  function stepDown(reason: string): void {
    leading = false;
    metrics.leader(false, epoch);
    loss.abort(new LeaseLostError(reason));
  }

  async function release(): Promise<void> {
    const spec = {
      ...record(epoch, (held as Lease).spec?.acquireTime ?? ''),
      holderIdentity: '',
      leaseDurationSeconds: 1,
    };
    try {
      await kube.update(leases, leaseWith(held as Lease, spec), { timeoutMs: 3_000 });
      logger.info('released the lease', { epoch });
    } catch (error) {
      logger.warn('cannot release the lease: the next leader has to wait for it to expire', { error });
    }
  }

  return {
    acquired: acquired.promise,
    signal: loss.signal,
    get epoch() {
      return epoch;
    },
    isLeader: () => leading,
    writesAllowed: () => leading && inTime(),
    onLost: (listener) => listeners.push(listener),
    run: async (signal) => {
      if (!(await campaign(signal))) return;
      leading = true;
      metrics.leader(true, epoch);
      logger.info('acquired the lease', { epoch });
      acquired.resolve({ epoch });
      const lost = await hold(signal);
      if (lost === undefined) {
        stepDown('the lease was released');
        await release();
        return;
      }
      stepDown(lost);
      logger.error('lost the lease', { epoch, reason: lost });
      for (const listener of listeners) listener(lost);
    },
  };
}
