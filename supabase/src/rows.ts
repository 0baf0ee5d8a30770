/** Rows as PostgREST returns them; times are RFC 3339 strings. */

export type MemberRole = 'viewer' | 'supervisor' | 'admin';

type Json = Record<string, unknown>;

interface ObjectRow {
  uid: string;
  namespace: string;
  name: string;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

export interface ProjectRow extends ObjectRow {
  spec: Json;
  status: Json;
}

export type AgentPoolRow = ProjectRow;

export interface WorkflowRow extends ObjectRow {
  project: string | null;
  phase: string | null;
  reason: string | null;
  message: string | null;
  stage: string | null;
  progress: string | null;
  trace_id: string | null;
  started_at: string | null;
  finished_at: string | null;
}

export interface TaskRow extends ObjectRow {
  project: string | null;
  workflow_uid: string | null;
  phase: string | null;
  reason: string | null;
  message: string | null;
  attempt: number | null;
  tests: string | null;
  branch: string | null;
  commit: string | null;
  trace_id: string | null;
  queued_at: string | null;
  started_at: string | null;
  finished_at: string | null;
}

export interface AttemptRow {
  task_uid: string;
  attempt: number;
  namespace: string;
  workflow_uid: string | null;
  outcome: 'Succeeded' | 'Failed' | 'Cancelled' | null;
  class: string | null;
  reason: string | null;
  message: string | null;
  pool: string | null;
  pod: string | null;
  started_at: string | null;
  finished_at: string | null;
}

export interface EventRow {
  at: string;
  id: string;
  namespace: string;
  type: 'snapshot' | 'log' | 'progress' | 'artifact';
  subject_kind: string;
  subject_uid: string;
  workflow_uid: string | null;
  attempt: number | null;
  work_kind: string | null;
  sequence: number | null;
  payload: Json;
}

export interface ArtifactRow {
  task_uid: string;
  attempt: number;
  name: string;
  digest: string;
  namespace: string;
  media_type: string | null;
  bytes: number | null;
  created_at: string;
}
