import { type AgentTask, isFinished, reasons, type TaskCounts } from '@millwright/crds';
import type { Dag, DagNode } from './dag.ts';

/** Where a task of the DAG stands, whether or not its AgentTask exists yet. */
export type NodeState =
  /** A dependency has not ended. */
  | { state: 'blocked' }
  /** To be created now. */
  | { state: 'ready' }
  /** `when` was false, or a dependency did not succeed: it will never run. `because` names which. */
  | { state: 'skipped'; reason: string; because: string }
  | { state: 'active'; child: AgentTask }
  | { state: 'ended'; child: AgentTask };

/** The phase as conditions see it. */
const phaseOf = (state: NodeState | undefined): { phase: string; reason: string } => {
  if (state?.state === 'skipped') return { phase: 'Skipped', reason: reasons.Skipped };
  if (state?.state === 'ended')
    return { phase: state.child.status?.phase ?? '', reason: state.child.status?.reason ?? '' };
  return { phase: '', reason: '' };
};

/**
 * State of every task, in topological order: one pass over the DAG.
 * @param children AgentTasks by name of the task in the DAG
 */
export function nodeStates(
  dag: Dag,
  children: ReadonlyMap<string, AgentTask>,
  params: Readonly<Record<string, string>>,
): Map<string, NodeState> {
  const states = new Map<string, NodeState>();
  for (const node of dag.nodes) states.set(node.task.name, stateOf(node, children, params, states));
  return states;
}

function stateOf(
  node: DagNode,
  children: ReadonlyMap<string, AgentTask>,
  params: Readonly<Record<string, string>>,
  states: ReadonlyMap<string, NodeState>,
): NodeState {
  const child = children.get(node.task.name);
  if (child) return { state: isFinished(child.status?.phase) ? 'ended' : 'active', child };
  const over = (name: string) => {
    const state = states.get(name)?.state;
    return state === 'ended' || state === 'skipped';
  };
  if (!node.dependsOn.every(over)) return { state: 'blocked' };
  const phase = (name: string) => phaseOf(states.get(name));
  if (node.when)
    return node.when({ task: phase, param: (name) => params[name] ?? '' })
      ? { state: 'ready' }
      : { state: 'skipped', reason: reasons.ConditionFalse, because: node.task.when ?? '' };
  const unmet = node.dependsOn.find((name) => phase(name).phase !== 'Succeeded');
  return unmet === undefined
    ? { state: 'ready' }
    : { state: 'skipped', reason: reasons.DependenciesNotMet, because: `"${unmet}": ${phase(unmet).phase}` };
}

/** Counts for status and progress. */
export function countStates(states: ReadonlyMap<string, NodeState>): TaskCounts {
  const counts: TaskCounts = {
    total: states.size,
    pending: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
  };
  for (const state of states.values()) {
    if (state.state === 'skipped') counts.skipped++;
    else if (state.state === 'ended') {
      const phase = state.child.status?.phase;
      if (phase === 'Succeeded') counts.succeeded++;
      else if (phase === 'Cancelled') counts.cancelled++;
      else counts.failed++;
    } else if (
      state.state === 'active' &&
      (state.child.status?.phase === 'Running' || state.child.status?.phase === 'Verifying')
    )
      counts.running++;
    else counts.pending++;
  }
  return counts;
}
