import {
  createStore,
  type ListOptions,
  type NamespaceRole,
  type Page,
  type ProjectRow,
  type Store,
  type TaskRow,
  type WorkflowRow,
} from '@millwright/supabase';
import type { Caller } from './identity.ts';
import { Problem } from './problem.ts';

interface Rows {
  projects: ProjectRow;
  workflows: WorkflowRow;
  tasks: TaskRow;
}
type Table = keyof Rows;
/** A row with its documents. */
export type Whole<T extends Table> = Rows[T] & { spec: Record<string, unknown>; status: Record<string, unknown> };

interface Query {
  where: Record<string, string | undefined>;
  limit: number | undefined;
  cursor: string | undefined;
}

/** What one caller may see and do. Throws StoreError when the database is away. */
export interface History {
  list<T extends Table>(table: T, query: Query): Promise<Page<Rows[T]>>;
  /** The newest object of this name, or the one with this uid. Throws a Problem when there is none that the caller may see. */
  show<T extends Table>(table: T, namespace: string, name: string, uid?: string): Promise<Whole<T>>;
  /** The project of an artifact of a task, and what it is called. Throws a Problem when there is none that the caller may see. */
  artifact(namespace: string, task: string, digest: string, uid?: string): Promise<{ project: string; name: string }>;
  /** Throws a Problem unless the caller may change things in the namespace. Returns whose namespace it is. */
  requireWriter(namespace: string): Promise<NamespaceRole>;
}

export interface HistoryOptions {
  url: string;
  /** Opens the door of the API; whose rows are seen is decided by the person's own token. */
  key: string;
  /** With the `service_role` key: it names the API key in whose name it reads. */
  service: Store;
}

const unknown = (table: Table, namespace: string, name: string): Problem =>
  new Problem(404, `There is no ${table.slice(0, -1)} ${namespace}/${name} that you may see.`, {
    remedy: 'Check the name and the namespace; what was created a moment ago appears within seconds.',
  });

const writers = new Set(['admin', 'supervisor']);

/** Reads in the caller's name, and what the caller is in a namespace. */
function accessOf(caller: Caller, { url, key, service }: HistoryOptions) {
  if (caller.type === 'key') {
    const { id, organisationId, role, namespaces } = caller.key;
    const roleIn = async (namespace: string): Promise<NamespaceRole | undefined> =>
      namespaces.includes(namespace) ? { organisationId, role } : undefined;
    return { reader: service.asKey(id), roleIn };
  }
  const store = createStore({ url, key, accessToken: caller.token, timeoutMs: 10_000, retry: false });
  return { reader: store, roleIn: (namespace: string) => store.roleInNamespace(caller.userId, namespace) };
}

/** For people as for API keys the database decides what is seen, by row-level security. */
export function historyOf(caller: Caller, options: HistoryOptions): History {
  const { reader, roleIn } = accessOf(caller, options);

  const list = async <T extends Table>(table: T, query: Query): Promise<Page<Rows[T]>> => {
    const where = Object.fromEntries(Object.entries(query.where).filter(([, value]) => value !== undefined));
    const page = await reader.list(table, {
      where: where as NonNullable<ListOptions<T>['where']>,
      ...(query.limit === undefined ? {} : { limit: query.limit }),
      ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
    });
    return page as unknown as Page<Rows[T]>;
  };

  const find = async <T extends Table>(table: T, namespace: string, name: string, uid?: string): Promise<Rows[T]> => {
    const found = await list(table, { where: { namespace, name, uid }, limit: 1, cursor: undefined });
    const row = found.items[0];
    if (!row) throw unknown(table, namespace, name);
    return row;
  };

  return {
    list,
    show: async (table, namespace, name, uid) => {
      const { uid: found } = await find(table, namespace, name, uid);
      const whole = await reader.show(table, found);
      if (!whole) throw unknown(table, namespace, name);
      return whole as unknown as Whole<typeof table>;
    },
    artifact: async (namespace, task, digest, uid) => {
      const found = await find('tasks', namespace, task, uid);
      const artifact = (await reader.artifacts(found.uid)).find((one) => one.digest === digest);
      if (!artifact || found.project === null)
        throw new Problem(404, `Task ${namespace}/${task} has no artifact ${digest}.`, {
          remedy: 'status.result.artifacts of the task lists what there is.',
        });
      return { project: found.project, name: artifact.name };
    },
    requireWriter: async (namespace) => {
      const role = await roleIn(namespace);
      if (!role)
        throw new Problem(403, `Namespace ${namespace} does not belong to an organisation of yours.`, {
          remedy: 'Ask an administrator of the installation to map the namespace to your organisation.',
        });
      if (!writers.has(role.role))
        throw new Problem(403, `As ${role.role} you may look, not change, in namespace ${namespace}.`, {
          remedy: 'Ask an admin of your organisation for the role supervisor.',
        });
      return role;
    },
  };
}
