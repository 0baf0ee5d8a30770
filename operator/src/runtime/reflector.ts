import { silentLogger } from '@millwright/otel';
import { fullJitter } from './backoff.ts';
import { type Clock, sleep, systemClock } from './clock.ts';
import { isGone, KubeError } from './errors.ts';
import type { KubeClient } from './kube.ts';
import { noMetrics, type RuntimeMetrics } from './metrics.ts';
import { compareVersions, type KubeObject, keyOf, type ResourceType } from './resource.ts';
import { Store, type StoreOptions } from './store.ts';
import type { WatchEvent } from './watch.ts';
import { createWatchdog, type Expiry } from './watchdog.ts';

export interface ReflectorOptions<T extends KubeObject, Index extends string> extends StoreOptions<T, Index> {
  kube: KubeClient;
  resource: ResourceType<T>;
  /** All namespaces when absent. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Objects per page of a list; 500 by default. */
  pageSize?: number;
  /** How long the watch alone is trusted, in milliseconds: 10 minutes by default, give or take a tenth. */
  relistMs?: number;
  /** A watch without a byte for so long is dead: 150 s by default, since the API server sends a bookmark every minute. */
  silenceMs?: number;
  random?: () => number;
  metrics?: RuntimeMetrics;
}

/** Keeps a store equal to a collection of the API server, whatever happens to lists and watches. */
export interface Reflector<T extends KubeObject, Index extends string = never> {
  readonly resource: ResourceType<T>;
  readonly store: Store<T, Index>;
  /** Lists and watches until the signal aborts; then resolves. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Whether one list has been completed. */
  hasSynced(): boolean;
  /** Resolves when one list has been completed. */
  readonly synced: Promise<void>;
  /** Milliseconds since the API server was last heard of for this collection. */
  watchAgeMs(): number;
  /** Objects in the store. */
  size(): number;
}

const restartBackoff = { baseMs: 100, capMs: 30_000 };
/** A watch that ends sooner without having said anything is taken for a failure, lest it be reopened in a tight loop. */
const SHORT_WATCH_MS = 1_000;
const LIST_TIMEOUT_MS = 60_000;

/** Builds a reflector; nothing happens before `run`. */
export function createReflector<T extends KubeObject, Index extends string = never>(
  options: ReflectorOptions<T, Index>,
): Reflector<T, Index> {
  const { kube, resource } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const logger = (options.logger ?? silentLogger).child({ reflector: resource.kind });
  const metrics = options.metrics ?? noMetrics;
  const store = new Store<T, Index>(options);
  const scope = {
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  };
  const firstList = Promise.withResolvers<void>();
  let synced = false;
  let lastHeard = clock.now();
  /** Everything up to this version is in the store. */
  let version = '0';
  let relistAt = 0;
  let failures = 0;

  /** Lists page by page into the store; pages are not collected, so a relist needs little memory. */
  async function list(signal: AbortSignal, pageSize = options.pageSize ?? 500): Promise<void> {
    const listed = new Set<string>();
    let next: string | undefined;
    let listVersion: string;
    try {
      do {
        const page = await kube.list(resource, {
          ...scope,
          signal,
          timeoutMs: LIST_TIMEOUT_MS,
          ...(pageSize > 0 ? { limit: pageSize } : {}),
          ...(next === undefined ? {} : { continue: next }),
        });
        lastHeard = clock.now();
        for (const object of page.items) {
          listed.add(keyOf(object));
          store.upsert(object, 'list');
        }
        listVersion = page.resourceVersion;
        next = page.continue;
      } while (next !== undefined);
    } catch (error) {
      // The continue token has expired while the pages were read: take everything in one answer instead.
      if (isGone(error) && next !== undefined) return list(signal, 0);
      throw error;
    }
    store.removeUnlisted(listed, listVersion);
    version = listVersion;
    relistAt = clock.now() + (options.relistMs ?? 600_000) * (0.9 + 0.2 * random());
    synced = true;
    firstList.resolve();
  }

  function take(event: WatchEvent<T>): void {
    failures = 0;
    metrics.watchEvent(resource.kind, event.type);
    const { resourceVersion } = event.object.metadata;
    if (event.type === 'DELETED') store.remove(keyOf(event.object), resourceVersion, 'watch');
    else if (event.type !== 'BOOKMARK') store.upsert(event.object, 'watch');
    // A replayed event must not take the resume point back.
    if (compareVersions(resourceVersion, version) > 0) version = resourceVersion;
  }

  /** Watches until the server ends it, it falls silent, or a list is due. Returns why it ended. */
  async function watch(signal: AbortSignal): Promise<Expiry | 'ended'> {
    const timeoutSeconds = Math.round(300 + 300 * random());
    const startedAt = clock.now();
    lastHeard = startedAt;
    let heard = false;
    const watchdog = createWatchdog(clock, {
      silenceMs: options.silenceMs ?? 150_000,
      relistAt,
      overrunAt: startedAt + (timeoutSeconds + 30) * 1000,
      lastHeard: () => lastHeard,
    });
    const stop = AbortSignal.any([signal, watchdog.signal]);
    try {
      await kube.watch(resource, { ...scope, resourceVersion: version, timeoutSeconds, signal: stop }, take, () => {
        heard = true;
        lastHeard = clock.now();
      });
    } catch (error) {
      const expiry = watchdog.expired();
      if (expiry === undefined || signal.aborted) throw error;
      return expiry;
    } finally {
      watchdog.stop();
    }
    if (!heard && clock.now() - startedAt < SHORT_WATCH_MS) {
      throw new KubeError(
        { status: 0, reason: 'ShortWatch', detail: 'the server ended a watch at once' },
        { method: 'WATCH', path: resource.plural },
      );
    }
    return 'ended';
  }

  async function run(signal: AbortSignal): Promise<void> {
    let mustList = true;
    while (!signal.aborted) {
      try {
        if (mustList) {
          await list(signal);
          mustList = false;
        }
        const end = await watch(signal);
        mustList = end === 'relist' || end === 'silent';
        if (end === 'silent') {
          metrics.watchRestart(resource.kind, 'silent');
          logger.warn('watch fell silent, listing again', { silenceMs: options.silenceMs });
        }
      } catch (error) {
        if (signal.aborted) break;
        const failure = error instanceof KubeError ? error : undefined;
        const reason = failure?.reason ?? 'Unexpected';
        // What a malformed event held is unknown, and an expired version cannot be resumed from.
        if (failure === undefined || reason === 'MalformedEvent' || isGone(error)) mustList = true;
        metrics.watchRestart(resource.kind, reason);
        const pauseMs = (failure?.retryAfterMs ?? 0) + fullJitter(restartBackoff, failures, random);
        failures += 1;
        logger.warn('list or watch failed', { error, failures, pauseMs: Math.round(pauseMs), listNext: mustList });
        await sleep(clock, pauseMs, signal);
      }
    }
  }

  return {
    resource,
    store,
    run,
    hasSynced: () => synced,
    synced: firstList.promise,
    watchAgeMs: () => clock.now() - lastHeard,
    size: () => store.size,
  };
}

/**
 * Resolves when every reflector has completed a list. Run them first.
 * @throws Error naming the kinds that have not, after `timeoutMs` (60,000 by default) or when the signal aborts
 */
export async function waitForSync(
  reflectors: readonly Pick<Reflector<KubeObject, string>, 'synced' | 'hasSynced' | 'resource'>[],
  options: { timeoutMs?: number; signal?: AbortSignal; clock?: Clock } = {},
): Promise<void> {
  const enough = new AbortController();
  const signal = options.signal === undefined ? enough.signal : AbortSignal.any([options.signal, enough.signal]);
  const patience = sleep(options.clock ?? systemClock, options.timeoutMs ?? 60_000, signal);
  await Promise.race([Promise.all(reflectors.map((reflector) => reflector.synced)), patience]);
  enough.abort();
  const missing = reflectors.filter((reflector) => !reflector.hasSynced()).map((reflector) => reflector.resource.kind);
  if (missing.length > 0) throw new Error(`the API server has not yet listed: ${missing.join(', ')}`);
}
