import { type Logger, silentLogger } from '@millwright/otel';
import { type Clock, systemClock } from './clock.ts';
import { compareVersions, type KubeObject, keyOf } from './resource.ts';
import { type IndexFunction, StoreIndex } from './store-index.ts';

/** What made an object change: a list, a watch event, or a write of our own. */
export type ChangeCause = 'list' | 'watch' | 'write';

/** Hears of every change. `old` is absent for a new object, `next` for a deleted one. It must only enqueue keys. */
export type ChangeHandler<T> = (old: T | undefined, next: T | undefined, cause: ChangeCause) => void;

export interface StoreOptions<T, Index extends string> {
  indexes?: Record<Index, IndexFunction<T>>;
  /** Trims an object before it is kept, to save memory. Must not touch name, namespace, uid or resourceVersion. */
  transform?: (object: T) => T;
  /** Whether an object belongs here, as the selector of its list and watch has it: a read or write of our own may bring one that does not. */
  selects?: (object: T) => boolean;
  clock?: Clock;
  logger?: Logger;
}

interface Tombstone {
  version: string;
  buriedAt: number;
}

/**
 * How long deletions are remembered. What could bring an older copy after a deletion is a write of ours whose answer was
 * under way, at most as long as a request may take, and a replayed watch, which its reconnect bounds.
 */
const TOMBSTONE_MS = 120_000;

/**
 * The objects of one resource as last seen, newest version only: whatever order copies arrive in (list, watch, answers to
 * our own writes, replays), an older one never replaces a newer one and never revives a deleted object. Objects are shared
 * with all readers and must not be changed.
 */
export class Store<T extends KubeObject, Index extends string = never> {
  readonly #objects = new Map<string, T>();
  readonly #tombstones = new Map<string, Tombstone>();
  readonly #indexes = new Map<string, StoreIndex<T>>();
  readonly #handlers = new Set<ChangeHandler<T>>();
  readonly #transform: ((object: T) => T) | undefined;
  readonly #selects: ((object: T) => boolean) | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(options: StoreOptions<T, Index> = {}) {
    this.#transform = options.transform;
    this.#selects = options.selects;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    for (const [name, values] of Object.entries<IndexFunction<T>>(options.indexes ?? {})) {
      this.#indexes.set(name, new StoreIndex(values));
    }
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  has(key: string): boolean {
    return this.#objects.has(key);
  }

  /** All objects, without copying; not to be held across an await. */
  values(): Iterable<T> {
    return this.#objects.values();
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  /** The objects that an index puts under a value. */
  by(index: Index, value: string): T[] {
    const found: T[] = [];
    for (const key of this.#index(index).keys(value)) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  /** The keys of `by`. */
  keysBy(index: Index, value: string): string[] {
    return [...this.#index(index).keys(value)];
  }

  /** Calls `handler` on every change from now on; the returned function ends that. */
  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /**
   * Takes the object that a successful create or patch returned, so that the next reconcile sees our own write whether or
   * not the watch has brought it. The watch's copy of the same version is then skipped.
   */
  applyWrite(object: T): void {
    this.upsert(object, 'write');
  }

  /** Keeps the object if it is newer than what is known. Returns whether it was. */
  upsert(object: T, cause: ChangeCause): boolean {
    const key = keyOf(object);
    const version = object.metadata.resourceVersion;
    const old = this.#objects.get(key);
    if (old !== undefined && compareVersions(version, old.metadata.resourceVersion) <= 0) return false;
    if (this.#selects?.(object) === false) return this.remove(key, version, cause);
    const grave = this.#tombstones.get(key);
    if (grave !== undefined) {
      if (compareVersions(version, grave.version) <= 0) return false;
      this.#tombstones.delete(key);
    }
    const kept = this.#transform === undefined ? object : this.#transform(object);
    this.#objects.set(key, kept);
    this.#changed(key, old, kept, cause);
    return true;
  }

  /** Forgets an object deleted at `version`, unless a newer one of that name is known. Returns whether it was there. */
  remove(key: string, version: string, cause: ChangeCause): boolean {
    const old = this.#objects.get(key);
    if (old !== undefined && compareVersions(old.metadata.resourceVersion, version) > 0) return false;
    this.#bury(key, version);
    if (old === undefined) return false;
    this.#objects.delete(key);
    this.#changed(key, old, undefined, cause);
    return true;
  }

  /**
   * Ends a complete list as of `version`: what it did not contain was deleted, except objects newer than the list.
   * @param listed the keys that the list contained
   */
  removeUnlisted(listed: ReadonlySet<string>, version: string): void {
    for (const key of [...this.#objects.keys()]) if (!listed.has(key)) this.remove(key, version, 'list');
  }

  #index(name: string): StoreIndex<T> {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new TypeError(`this store has no index ${name}`);
    return index;
  }

  #bury(key: string, version: string): void {
    const known = this.#tombstones.get(key);
    if (known !== undefined && compareVersions(known.version, version) >= 0) return;
    const now = this.#clock.now();
    // Deleting first keeps the map in the order of burial, so that expired graves are all at its head.
    this.#tombstones.delete(key);
    this.#tombstones.set(key, { version, buriedAt: now });
    for (const [oldest, grave] of this.#tombstones) {
      if (now - grave.buriedAt < TOMBSTONE_MS) break;
      this.#tombstones.delete(oldest);
    }
  }

  #changed(key: string, old: T | undefined, next: T | undefined, cause: ChangeCause): void {
    for (const [name, index] of this.#indexes) {
      this.#guarded(`index ${name}`, key, () => index.replace(key, old, next));
    }
    for (const handler of this.#handlers) this.#guarded('change handler', key, () => handler(old, next, cause));
  }

  /** A faulty index or handler costs an error in the log, never the watch it is called from. */
  #guarded(what: string, key: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#logger.error(`${what} threw`, { key, error });
    }
  }
}
