import type { AgentPool, AgentTask, Project, Workflow } from '@millwright/crds';
import type { Pod } from '../../cluster.ts';
import { KubeError, keyOf } from '../../runtime/index.ts';
import type { Laws } from './laws.ts';

export type Stored = AgentTask | Workflow | Project | AgentPool | Pod;

/** The API server: objects with versions, and what watches have to tell. */
export interface Api {
  get(kind: string, key: string): Stored | undefined;
  list(kind: string): Stored[];
  create(object: Stored): Stored;
  /** @param version refuses (409) unless this is the stored one; undefined: no precondition. */
  patch(kind: string, key: string, change: Partial<Stored>, version: string | undefined): Stored;
  remove(kind: string, key: string): void;
  /** Version of the last change. */
  version(): string;
  /** Every copy that watches were told of, oldest first; a deletion is a copy with `deleted`. */
  readonly told: { object: Stored; deleted?: true }[];
}

const failure = (status: number, reason: string) =>
  new KubeError({ status, reason, detail: reason }, { method: 'SIMULATED', path: '' });

export function createApi(now: () => number, laws: Laws): Api {
  const objects = new Map<string, Stored>();
  const told: Api['told'] = [];
  let version = 100;
  let uids = 0;
  const idOf = (kind: string, key: string) => `${kind} ${key}`;

  function keep<T extends Stored>(object: T): T {
    objects.set(idOf(object.kind, keyOf(object)), object);
    told.push({ object });
    return object;
  }

  return {
    told,
    get: (kind, key) => objects.get(idOf(kind, key)),
    list: (kind) => [...objects.values()].filter((object) => object.kind === kind),
    create: (object) => {
      const id = idOf(object.kind, keyOf(object));
      if (objects.has(id)) throw failure(409, 'AlreadyExists');
      const metadata = {
        ...object.metadata,
        uid: object.metadata.uid ?? `uid-${++uids}`,
        resourceVersion: String(++version),
        generation: 1,
        creationTimestamp: new Date(now()).toISOString(),
      };
      const created = keep({ ...object, metadata } as Stored);
      laws.written(undefined, created);
      return created;
    },
    patch: (kind, key, change, expected) => {
      const before = objects.get(idOf(kind, key));
      if (!before) throw failure(404, 'NotFound');
      if (expected !== undefined && expected !== before.metadata.resourceVersion) throw failure(409, 'Conflict');
      const generation = (before.metadata.generation ?? 1) + ('spec' in change ? 1 : 0);
      const metadata = { ...before.metadata, resourceVersion: String(++version), generation };
      const after = keep({ ...before, ...change, metadata } as Stored);
      laws.written(before, after);
      return after;
    },
    version: () => String(version),
    remove: (kind, key) => {
      const before = objects.get(idOf(kind, key));
      if (!before) throw failure(404, 'NotFound');
      objects.delete(idOf(kind, key));
      const metadata = { ...before.metadata, resourceVersion: String(++version) };
      told.push({ object: { ...before, metadata } as Stored, deleted: true });
      laws.removed(before);
    },
  };
}
