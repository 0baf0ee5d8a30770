import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import { check } from './errors.ts';
import type { AgentPoolRow, ArtifactRow, AttemptRow, EventRow, ProjectRow, TaskRow, WorkflowRow } from './rows.ts';

interface Rows {
  projects: ProjectRow;
  agent_pools: AgentPoolRow;
  workflows: WorkflowRow;
  tasks: TaskRow;
  events: EventRow;
}
export type HistoryTable = keyof Rows;
export type ShownTable = 'projects' | 'agent_pools' | 'workflows' | 'tasks';
/** A row with its documents. */
type Shown<T extends ShownTable> = Rows[T] & { spec: Record<string, unknown>; status: Record<string, unknown> };

const object = 'uid,namespace,name,created_at,updated_at,deleted_at';
const state = 'project,phase,reason,message,trace_id,started_at,finished_at';

/** What lists select (documents only where they are all there is) and what they are ordered by, newest first. */
const lists: Record<HistoryTable, { columns: string; order: readonly [time: string, tie: string] }> = {
  projects: { columns: `${object},spec,status`, order: ['created_at', 'uid'] },
  agent_pools: { columns: `${object},spec,status`, order: ['created_at', 'uid'] },
  workflows: { columns: `${object},${state},stage,progress`, order: ['created_at', 'uid'] },
  tasks: {
    columns: `${object},${state},workflow_uid,attempt,tests,branch,commit,queued_at`,
    order: ['created_at', 'uid'],
  },
  events: {
    columns: 'at,id,namespace,type,subject_kind,subject_uid,workflow_uid,attempt,work_kind,sequence,payload',
    order: ['at', 'id'],
  },
};

export interface ListOptions<T extends HistoryTable> {
  /** Columns that must have these values. */
  readonly where?: Partial<Record<keyof Rows[T] & string, string | number>>;
  /** At most 1,000; 100 unless told. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

export interface Page<Row> {
  readonly items: Row[];
  /** Absent on the last page. */
  readonly next?: string;
}

/** A cursor that did not come from this module. */
export class InvalidCursorError extends Error {
  override readonly name = 'InvalidCursorError';
}

const cursorSchema = z.tuple([z.iso.datetime({ offset: true }), z.string().max(512)]);

/**
 * One page of a table, newest first. Pages by key, never by offset, so that the thousandth page costs as much as the first and rows
 * written meanwhile shift nothing.
 *
 * @throws StoreError; InvalidCursorError
 */
export async function list<T extends HistoryTable>(
  client: SupabaseClient,
  table: T,
  options: ListOptions<T> = {},
): Promise<Page<Rows[T]>> {
  const { columns, order } = lists[table];
  const [time, tie] = order;
  const limit = limitOf(options);
  let query = client.from(table).select(columns);
  for (const [column, value] of Object.entries(options.where ?? {})) query = query.eq(column, value as string | number);
  if (options.cursor !== undefined) {
    const [at, key] = decodeCursor(options.cursor);
    // The first condition alone bounds the range of the index; the second leaves out what the page before has shown.
    query = query.lte(time, at).or(`${time}.lt."${at}",${tie}.lt.${quoted(key)}`);
  }
  const answer = await query.order(time, { ascending: false }).order(tie, { ascending: false }).limit(limit);
  check(answer, `list of ${table}`);
  return pageOf((answer.data ?? []) as unknown as Rows[T][], order, limit);
}

const limitOf = ({ limit }: { readonly limit?: number }): number => Math.min(Math.max(limit ?? 100, 1), 1_000);

function pageOf<Row>(items: Row[], [time, tie]: readonly [string, string], limit: number): Page<Row> {
  const last = items.length === limit ? (items.at(-1) as Record<string, unknown> | undefined) : undefined;
  return last ? { items, next: encodeCursor(String(last[time]), String(last[tie])) } : { items };
}

/** What the holder of an API key may read. Throws StoreError. */
export interface KeyReader {
  list: <T extends HistoryTable>(table: T, options?: ListOptions<T>) => Promise<Page<Rows[T]>>;
  show: <T extends ShownTable>(table: T, uid: string) => Promise<Shown<T> | undefined>;
  artifacts: (taskUid: string) => Promise<ArtifactRow[]>;
}

/**
 * Reads in the name of an API key: as with a person's token, row-level security decides.
 *
 * @param client with the `service_role` key, which the database gives up for the time of each read
 * @param key id of the key
 */
export function readerAs(client: SupabaseClient, key: string): KeyReader {
  const read = async <Row>(relation: string, columns: string | undefined, more: object): Promise<Row[]> => {
    const answer = await client.rpc('read_as_key', { key, relation, columns: columns?.split(',') ?? [], ...more });
    check(answer, `${relation} as an API key`);
    return (answer.data ?? []) as Row[];
  };
  return {
    list: async (table, options = {}) => {
      const { columns, order } = lists[table];
      const rows = limitOf(options);
      const after = options.cursor === undefined ? null : decodeCursor(options.cursor);
      return pageOf(
        await read(table, columns, { filters: options.where ?? {}, sort: order, after, rows }),
        order,
        rows,
      );
    },
    show: async (table, uid) => (await read<Shown<typeof table>>(table, undefined, { filters: { uid } }))[0],
    artifacts: (taskUid) => read<ArtifactRow>('artifacts', ARTIFACT_COLUMNS, { filters: { task_uid: taskUid } }),
  };
}

/** One object with its documents, or undefined when there is none that the caller may see. */
export async function show<T extends ShownTable>(
  client: SupabaseClient,
  table: T,
  uid: string,
): Promise<Shown<T> | undefined> {
  const answer = await client.from(table).select('*').eq('uid', uid).maybeSingle();
  check(answer, `${table} ${uid}`);
  return (answer.data ?? undefined) as Shown<T> | undefined;
}

/** The attempts of a task, in order. */
export async function attempts(client: SupabaseClient, taskUid: string): Promise<AttemptRow[]> {
  const columns =
    'task_uid,attempt,namespace,workflow_uid,outcome,class,reason,message,pool,pod,started_at,finished_at';
  const answer = await client.from('attempts').select(columns).eq('task_uid', taskUid).order('attempt');
  check(answer, 'attempts');
  return (answer.data ?? []) as unknown as AttemptRow[];
}

const ARTIFACT_COLUMNS = 'task_uid,attempt,name,digest,namespace,media_type,bytes,created_at';

/** The artifacts of a task, by attempt and name. */
export async function artifacts(client: SupabaseClient, taskUid: string): Promise<ArtifactRow[]> {
  const answer = await client
    .from('artifacts')
    .select(ARTIFACT_COLUMNS)
    .eq('task_uid', taskUid)
    .order('attempt')
    .order('name');
  check(answer, 'artifacts');
  return (answer.data ?? []) as unknown as ArtifactRow[];
}

/**
 * Output of one attempt in the order in which it was written.
 *
 * @param options.after the last sequence number that the caller has; all unless told
 */
export async function logs(
  client: SupabaseClient,
  taskUid: string,
  attempt: number,
  options: { readonly workKind?: 'run' | 'verify'; readonly after?: number; readonly limit?: number } = {},
): Promise<EventRow[]> {
  const answer = await client
    .from('events')
    .select(lists.events.columns)
    .eq('type', 'log')
    .eq('subject_uid', taskUid)
    .eq('attempt', attempt)
    .eq('work_kind', options.workKind ?? 'run')
    .gt('sequence', options.after ?? -1)
    .order('sequence')
    .limit(Math.min(options.limit ?? 1_000, 1_000));
  check(answer, 'logs');
  return (answer.data ?? []) as unknown as EventRow[];
}

function encodeCursor(time: string, key: string): string {
  return Buffer.from(JSON.stringify([time, key])).toString('base64url');
}

function decodeCursor(cursor: string): [string, string] {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new InvalidCursorError('the cursor is not one of ours: start again without it');
  }
}

/** A value inside PostgREST's `or`, whose commas, dots and parentheses mean something. */
function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, (character) => `\\${character}`)}"`;
}
