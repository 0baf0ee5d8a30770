import type { ProjectRow, TaskRow, WorkflowRow } from '@millwright/supabase';
import type { Whole } from './history.ts';

/** Rows of the database as the API shows them. */

const objectOf = (row: ProjectRow | WorkflowRow | TaskRow) => ({
  uid: row.uid,
  namespace: row.namespace,
  name: row.name,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  deletedAt: row.deleted_at,
});

const stateOf = (row: WorkflowRow | TaskRow) => ({
  project: row.project,
  phase: row.phase,
  reason: row.reason,
  message: row.message,
  traceId: row.trace_id,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
});

export const viewOfProject = (row: ProjectRow) => ({ ...objectOf(row), spec: row.spec, status: row.status });

export const summaryOfWorkflow = (row: WorkflowRow) => ({
  ...objectOf(row),
  ...stateOf(row),
  stage: row.stage,
  progress: row.progress,
});
export const viewOfWorkflow = (row: Whole<'workflows'>) => ({
  ...summaryOfWorkflow(row),
  spec: row.spec,
  status: row.status,
});

export const summaryOfTask = (row: TaskRow) => ({
  ...objectOf(row),
  ...stateOf(row),
  workflowUid: row.workflow_uid,
  attempt: row.attempt,
  tests: row.tests,
  branch: row.branch,
  commit: row.commit,
  queuedAt: row.queued_at,
});
export const viewOfTask = (row: Whole<'tasks'>) => ({ ...summaryOfTask(row), spec: row.spec, status: row.status });
