import { type AgentTask, isFinished, type Project, type Workflow } from '@millwright/crds';
import type { WorkflowAction, WorkflowPlan } from './actions.ts';
import type { TaskDraft } from './children.ts';
import { draftTask } from './children.ts';
import type { CompiledDag, Dag } from './dag.ts';
import { type Ending, endingOf } from './ending.ts';
import { nodeStates } from './states.ts';
import { type Progress, progressStatus, refused, waitingForProject } from './status.ts';

/** All that the plan for a Workflow may look at. */
export interface WorkflowObservation {
  workflow: Workflow;
  /** Compiled once per Workflow: its tasks cannot change. */
  dag: CompiledDag;
  project?: Project;
  /** AgentTasks by the name of the task in the DAG. */
  children: ReadonlyMap<string, AgentTask>;
}

/**
 * Decides what to do about a Workflow: creates the tasks whose dependencies have ended, sums up the others, ends it when nothing is left.
 * @param now milliseconds since the epoch
 */
export function planWorkflow(observed: WorkflowObservation, now: number): WorkflowPlan {
  const { workflow, dag, project } = observed;
  if (workflow.metadata.deletionTimestamp) return { actions: [{ do: 'notifyTasks' }] };
  if (isFinished(workflow.status?.phase)) return planRemoval(workflow, now);
  if (!dag.ok) return { actions: [refused(workflow, dag, now)] };
  const ending = endingOf(workflow, now);
  const plan: WorkflowPlan =
    !project && observed.children.size === 0 && !ending
      ? { actions: [waitingForProject(workflow, now)] }
      : planTasks(observed, dag.dag, ending, now);
  const timeout = workflow.spec.timeoutSeconds;
  if (timeout === undefined || ending) return plan;
  return { ...plan, requeueAfterMs: Date.parse(workflow.metadata.creationTimestamp) + timeout * 1000 - now };
}

/** After its time to live a finished Workflow goes, and its tasks with it; the history stays. */
function planRemoval(workflow: Workflow, now: number): WorkflowPlan {
  const end = Date.parse(workflow.status?.finishedAt ?? '');
  const left = end + workflow.spec.ttlSecondsAfterFinished * 1000 - now;
  if (Number.isNaN(left)) return { actions: [] };
  return left > 0 ? { actions: [], requeueAfterMs: left } : { actions: [{ do: 'delete' }] };
}

function planTasks(
  { workflow, children }: WorkflowObservation,
  dag: Dag,
  ending: Ending | undefined,
  now: number,
): WorkflowPlan {
  const states = nodeStates(dag, children, workflow.spec.params ?? {});
  const actions: WorkflowAction[] = [];
  let open = false;
  const ready: TaskDraft[] = [];
  for (const node of dag.nodes) {
    const { state } = states.get(node.task.name) ?? { state: 'blocked' };
    if (state === 'active') open = true;
    else if ((state === 'ready' || state === 'blocked') && !ending) {
      open = true;
      if (state === 'ready' && !workflow.spec.suspend) ready.push(draftTask(workflow, node, states));
    }
  }
  if (ready.length > 0) actions.push({ do: 'create', tasks: ready });
  const progress: Progress = { states, sinks: dag.sinks, open, created: ready.length, ...(ending ? { ending } : {}) };
  const { status, note } = progressStatus(workflow, progress, now);
  const generationSeen = workflow.status?.observedGeneration === workflow.metadata.generation;
  if (ending || (!generationSeen && workflow.status !== undefined)) actions.push({ do: 'notifyTasks' });
  actions.push({ do: 'status', status, ...(open ? { lazy: true } : {}), ...(note ? { note } : {}) });
  return { actions };
}
