import type { MillwrightResource } from '@millwright/crds';
import type { LazyWrites } from './lazy-writes.ts';
import type { Note } from './note.ts';
import { type KubeClient, keyOf, mergePatchBetween, type ResourceType } from './runtime/index.ts';

export interface StatusWriterOptions<T extends MillwrightResource> {
  kube: KubeClient;
  resource: ResourceType<T>;
  lazy: LazyWrites;
  /** How long what is true for the moment has to be true before it is written, in milliseconds, for an object that is expensive to write. */
  lazyMs?: (object: T) => number;
  /** Makes the written object visible to the next pass before the watch brings it. */
  applyWrite: (object: T) => void;
  /** Called after each write, with the object before and after. */
  onWritten: (before: T, after: T, note: Note | undefined) => void;
}

export type Written<T> = { state: 'same' } | { state: 'written'; object: T } | { state: 'delayed'; delayMs: number };

export type StatusWriter<T extends MillwrightResource> = (
  object: T,
  status: NonNullable<T['status']>,
  how: { lazy?: boolean; note?: Note },
) => Promise<Written<T>>;

/** Writes a status when it differs; one that is true only for the moment waits for the lazy writes' consent. */
export function statusWriter<T extends MillwrightResource>(options: StatusWriterOptions<T>): StatusWriter<T> {
  const { kube, resource, lazy, applyWrite, onWritten } = options;
  return async (object, status, how) => {
    const key = `${object.kind}/${keyOf(object)}`;
    if (mergePatchBetween(object.status ?? {}, status) === undefined) {
      lazy.clear(key);
      return { state: 'same' };
    }
    if (how.lazy) {
      const delayMs = lazy.delay(key, signatureOf(status), options.lazyMs?.(object));
      if (delayMs > 0) return { state: 'delayed', delayMs };
    }
    const written = await kube.patchStatus(resource, object, status);
    lazy.clear(key);
    applyWrite(written);
    onWritten(object, written, how.note);
    return { state: 'written', object: written };
  };
}

/** What must stay the same for a while to be worth a write: progress may go on meanwhile. */
const signatureOf = (status: object): string => {
  const { phase, reason, attempt } = status as { phase?: string; reason?: string; attempt?: number };
  return `${phase}/${phase === 'Running' ? '' : reason}/${attempt}`;
};
