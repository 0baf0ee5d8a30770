import {
  type AgentTask,
  type Condition,
  conditionTypes,
  isFinished,
  reasons,
  type TaskCounts,
  type Workflow,
  type WorkflowPhase,
  type WorkflowStatus,
} from '@millwright/crds';
import { traceIdOf } from '@millwright/otel';
import { setCondition } from '../conditions.ts';
import { duration } from '../duration.ts';
import type { Note } from '../note.ts';
import { missingProject } from '../project/missing.ts';
import type { WorkflowAction } from './actions.ts';
import type { Ending } from './ending.ts';
import { countStates, type NodeState } from './states.ts';

const ACTIVE = 50;
const FAILURES = 20;
const SKIPPED = 50;
const BRANCHES = 50;

/** What one pass over the DAG found. */
export interface Progress {
  states: ReadonlyMap<string, NodeState>;
  sinks: readonly string[];
  /** Whether anything is still to come. */
  open: boolean;
  /** Tasks created in this pass. */
  created: number;
  ending?: Ending;
}

type Change = Partial<WorkflowStatus> & { phase: WorkflowPhase; reason: string; message: string };

function nextStatus(workflow: Workflow, now: number, change: Change, accepted: boolean): WorkflowStatus {
  const at = new Date(now).toISOString();
  const generation = workflow.metadata.generation ?? 1;
  const next: WorkflowStatus = {
    ...workflow.status,
    ...change,
    message: change.message.slice(0, 1024),
    observedGeneration: generation,
    traceID: traceIdOf(workflow.metadata.uid),
    startedAt: workflow.status?.startedAt ?? workflow.metadata.creationTimestamp,
  };
  let list: Condition[] = workflow.status?.conditions ?? [];
  const set = (type: string, value: boolean, reason: string, message: string) => {
    list = setCondition(list, {
      type,
      status: value ? 'True' : 'False',
      reason,
      message,
      observedGeneration: generation,
      lastTransitionTime: at,
    });
  };
  set(conditionTypes.Accepted, accepted, accepted ? reasons.Accepted : change.reason, accepted ? '' : change.message);
  if (isFinished(change.phase)) {
    const succeeded = change.phase === 'Succeeded';
    next.finishedAt = at;
    next.duration = duration(workflow.metadata.creationTimestamp, at);
    next.stage = 'DONE';
    set(conditionTypes.Complete, succeeded, change.reason, change.message);
    set(conditionTypes.Failed, !succeeded, change.reason, change.message);
  } else next.stage = 'BUILD';
  next.conditions = list;
  return next;
}

/** A DAG that can never run: the spec cannot change, so this is the end. */
export function refused(workflow: Workflow, why: { reason: string; message: string }, now: number): WorkflowAction {
  const message = `${why.message}; tasks of a Workflow cannot change, so apply it under another name or delete this one first`;
  const status = nextStatus(workflow, now, { phase: 'Failed', reason: why.reason, message }, false);
  return { do: 'status', status, note: { type: 'Warning', reason: why.reason, message } };
}

/** Goes on by itself when the Project appears. */
export function waitingForProject(workflow: Workflow, now: number): WorkflowAction {
  const message = missingProject(workflow);
  const change: Change = {
    phase: 'Waiting',
    reason: reasons.UnknownProject,
    message,
    progress: `0/${workflow.spec.tasks.length}`,
  };
  const known = workflow.status?.reason === reasons.UnknownProject;
  return {
    do: 'status',
    status: nextStatus(workflow, now, change, false),
    ...(known ? {} : { note: { type: 'Warning', reason: reasons.UnknownProject, message } }),
  };
}

/** Sums up the tasks. */
export function progressStatus(
  workflow: Workflow,
  progress: Progress,
  now: number,
): { status: WorkflowStatus; note?: Note } {
  const counts = countStates(progress.states);
  const active: AgentTask[] = [];
  const failures: AgentTask[] = [];
  const skipped: NonNullable<WorkflowStatus['skipped']> = [];
  const branches: string[] = [];
  for (const [name, state] of progress.states) {
    if (state.state === 'active') active.push(state.child);
    else if (state.state === 'skipped')
      skipped.push({ name, reason: state.reason, message: state.because.slice(0, 128).toWellFormed() });
    else if (state.state === 'ended') {
      if (state.child.status?.phase === 'Failed') failures.push(state.child);
      if (state.child.status?.branch) branches.push(state.child.status.branch);
    }
  }
  const ended = counts.succeeded + counts.failed + counts.skipped + counts.cancelled;
  const head = headOf(progress);
  const more: Partial<WorkflowStatus> = {
    counts,
    progress: `${ended}/${counts.total}`,
    active: active.slice(0, ACTIVE).map(brief),
    failures: failures.slice(0, FAILURES).map(brief),
    skipped: skipped.slice(0, SKIPPED),
    branches: branches.slice(0, BRANCHES),
    ...(head ? { headSHA: head } : {}),
  };
  const change = progress.open ? openChange(workflow, counts, active, progress) : endChange(counts, failures, progress);
  const status = nextStatus(workflow, now, { ...more, ...change }, true);
  const note = progress.open ? openNote(workflow, counts, failures, active.length + progress.created) : endNote(change);
  return { status, ...(note ? { note } : {}) };
}

/**
 * What is told beside a status that is written anyway, so rarely more than once in a Workflow's life: that it was accepted, and which task has
 * failed since the last write. One that ends before its first status is written tells of its end only.
 */
function openNote(
  { status }: Workflow,
  counts: TaskCounts,
  failures: readonly AgentTask[],
  started: number,
): Note | undefined {
  const last = failures.toSorted((a, b) => endOf(a) - endOf(b)).at(-1);
  if (last && counts.failed > (status?.counts?.failed ?? 0))
    return { type: 'Warning', reason: reasons.TaskFailed, message: saidOf(last) };
  if (status?.conditions?.some(({ type, status: is }) => type === conditionTypes.Accepted && is === 'True'))
    return undefined;
  return {
    type: 'Normal',
    reason: reasons.Accepted,
    message: `${counts.total} ${counts.total === 1 ? 'task' : 'tasks'}, ${started} of them started`,
  };
}

const endNote = ({ phase, message }: Change): Note => ({
  type: phase === 'Succeeded' ? 'Normal' : 'Warning',
  reason: phase,
  message,
});

function openChange(workflow: Workflow, counts: TaskCounts, active: readonly AgentTask[], progress: Progress): Change {
  if (progress.ending)
    return { phase: 'Running', reason: progress.ending.reason, message: `ending: ${progress.ending.message}` };
  if (counts.running > 0 || progress.created > 0)
    return {
      phase: 'Running',
      reason: reasons.InProgress,
      message: `${counts.running} of ${counts.total} tasks are at work${workflow.spec.suspend ? '; no other is started, since spec.suspend is true' : ''}`,
    };
  if (workflow.spec.suspend)
    return {
      phase: 'Waiting',
      reason: reasons.Suspended,
      message: 'spec.suspend is true: the Workflow goes on when it is false',
    };
  const stuck = active.find((task) => task.status?.phase === 'Waiting');
  if (stuck)
    return {
      phase: 'Waiting',
      reason: stuck.status?.reason ?? reasons.InProgress,
      message: `task "${nameOf(stuck)}" waits: ${stuck.status?.message ?? ''}`,
    };
  return { phase: 'Running', reason: reasons.InProgress, message: `${active.length} tasks are being dispatched` };
}

function endChange(counts: TaskCounts, failures: readonly AgentTask[], progress: Progress): Change {
  if (progress.ending)
    return { phase: progress.ending.phase, reason: progress.ending.reason, message: progress.ending.message };
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  const first = failures[0];
  if (first)
    return {
      phase: 'Failed',
      reason: reasons.TaskFailed,
      message: `${counts.failed} of ${counts.total} tasks failed${skipped}; ${saidOf(first)}`,
    };
  if (counts.cancelled > 0)
    return {
      phase: 'Cancelled',
      reason: reasons.CancelledByUser,
      message: `${counts.cancelled} of ${counts.total} tasks were cancelled`,
    };
  return {
    phase: 'Succeeded',
    reason: reasons.Completed,
    message: `${counts.succeeded} of ${counts.total} tasks succeeded${skipped}`,
  };
}

/** The status instead of what was planned when its tasks cannot be created, and what to tell of it the first time. */
export function hindered(
  { status }: Workflow,
  planned: WorkflowStatus,
  words: string,
): [status: WorkflowStatus, how: { note?: Note }] {
  const reason = reasons.TaskRefused;
  const message = `tasks cannot be created: ${words}`.slice(0, 1024);
  const phase = (planned.counts?.running ?? 0) > 0 ? 'Running' : 'Waiting';
  return [
    { ...planned, phase, reason, message },
    status?.reason === reason ? {} : { note: { type: 'Warning', reason, message } },
  ];
}

const nameOf = (task: AgentTask): string => task.metadata.labels?.['millwright.dev/task'] ?? task.metadata.name;

const endOf = (task: AgentTask): number => Date.parse(task.status?.finishedAt ?? '') || 0;

const saidOf = (task: AgentTask): string => `"${nameOf(task)}": ${task.status?.reason}: ${task.status?.message}`;

const brief = (task: AgentTask) => ({
  name: nameOf(task),
  phase: task.status?.phase ?? 'Pending',
  ...(task.status?.reason === undefined ? {} : { reason: task.status.reason }),
  ...(task.status?.message === undefined ? {} : { message: task.status.message.slice(0, 512).toWellFormed() }),
});

/** The commit of the one task that ends the DAG; several ends have several heads. */
function headOf({ sinks, states }: Progress): string | undefined {
  const [only, ...others] = sinks;
  const state = only === undefined || others.length > 0 ? undefined : states.get(only);
  return state?.state === 'ended' ? state.child.status?.result?.commit : undefined;
}
