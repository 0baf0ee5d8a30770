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
  const limit = Math.min(Math.max(options.limit ?? 100, 1), 1_000);
  let query = client.from(table).select(columns);
  for (const [column, value] of Object.entries(options.where ?? {})) query = query.eq(column, value as string | number);
  if (options.cursor !== undefined) {
    const [at, key] = decodeCursor(options.cursor);
    // The first condition alone bounds the range of the index; the second leaves out what the page before has shown.
    query = query.lte(time, at).or(`${time}.lt."${at}",${tie}.lt.${quoted(key)}`);
  }
  const answer = await query.order(time, { ascending: false }).order(tie, { ascending: false }).limit(limit);
  check(answer, `list of ${table}`);
  const items = (answer.data ?? []) as unknown as Rows[T][];
  const last = items.length === limit ? (items.at(-1) as Record<string, unknown> | undefined) : undefined;
  return last ? { items, next: encodeCursor(String(last[time]), String(last[tie])) } : { items };
}

/** One object with its documents, or undefined when there is none that the caller may see. */
export async function show<T extends 'projects' | 'agent_pools' | 'workflows' | 'tasks'>(
  client: SupabaseClient,
  table: T,
  uid: string,
): Promise<(Rows[T] & { spec: Record<string, unknown>; status: Record<string, unknown> }) | undefined> {
  const answer = await client.from(table).select('*').eq('uid', uid).maybeSingle();
  check(answer, `${table} ${uid}`);
  return (answer.data ?? undefined) as
    | (Rows[T] & { spec: Record<string, unknown>; status: Record<string, unknown> })
    | undefined;
}

/** The attempts of a task, in order. */
export async function attempts(client: SupabaseClient, taskUid: string): Promise<AttemptRow[]> {
  const columns =
    'task_uid,attempt,namespace,workflow_uid,outcome,class,reason,message,pool,pod,started_at,finished_at';
  const answer = await client.from('attempts').select(columns).eq('task_uid', taskUid).order('attempt');
  check(answer, 'attempts');
  return (answer.data ?? []) as unknown as AttemptRow[];
}

/** The artifacts of a task, by attempt and name. */
export async function artifacts(client: SupabaseClient, taskUid: string): Promise<ArtifactRow[]> {
  const columns = 'task_uid,attempt,name,digest,namespace,media_type,bytes,created_at';
  const answer = await client.from('artifacts').select(columns).eq('task_uid', taskUid).order('attempt').order('name');
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
