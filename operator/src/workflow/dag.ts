import { reasons, type WorkflowSpec, type WorkflowTask } from '@millwright/crds';
import { parseWhen, type When } from './when.ts';

/** A task of the DAG with what the plan needs to look up often. */
export interface DagNode {
  task: WorkflowTask;
  dependsOn: readonly string[];
  /** Parsed `when`; absent means: all dependencies succeeded. */
  when?: When;
}

/** A validated DAG; nodes are in topological order, so one pass decides all of them. */
export interface Dag {
  nodes: readonly DagNode[];
  /** Tasks that nothing depends on. */
  sinks: readonly string[];
}

export type CompiledDag = { ok: true; dag: Dag } | { ok: false; reason: string; message: string };

const invalid = (reason: string, message: string): CompiledDag => ({ ok: false, reason, message });

/** At most this many names of a cycle are spelled out, and as many problems. */
const SHOWN = 10;

/**
 * Validates what the API server cannot: unknown dependencies, cycles (spelled out), conditions that do not parse or name tasks that are
 * not dependencies. Linear in tasks and edges.
 */
export function compileDag(spec: Pick<WorkflowSpec, 'tasks' | 'params'>): CompiledDag {
  const byName = new Map(spec.tasks.map((task) => [task.name, task]));
  const nodes = new Map<string, DagNode>();
  // All of them at once: tasks cannot be changed, so each look costs whoever wrote them a new Workflow.
  const problems: { reason: string; message: string }[] = [];
  for (const [index, task] of spec.tasks.entries()) {
    for (const dependency of task.dependsOn ?? [])
      if (!byName.has(dependency))
        problems.push({
          reason: reasons.UnknownDependency,
          message: `spec.tasks[${index}].dependsOn of task "${task.name}" names "${dependency}", which the Workflow does not have; ${nearest(dependency, byName.keys())}`,
        });
    const node: DagNode = { task, dependsOn: task.dependsOn ?? [] };
    if (task.when !== undefined) {
      const parsed = parseWhen(task.when, {
        tasks: new Set(node.dependsOn),
        params: new Set(Object.keys(spec.params ?? {})),
      });
      if (parsed.ok) node.when = parsed.when;
      else
        problems.push({
          reason: reasons.InvalidSpec,
          message: `spec.tasks[${index}].when of task "${task.name}": ${parsed.message}`,
        });
    }
    nodes.set(task.name, node);
  }
  const [first] = problems;
  if (first) {
    const shown = problems.slice(0, SHOWN).map(({ message }) => message);
    const more = problems.length > SHOWN ? [`and ${problems.length - SHOWN} more`] : [];
    return invalid(first.reason, [...shown, ...more].join(' | '));
  }
  const order = topologicalOrder(nodes);
  if (!order.ok) {
    const shown = order.cycle.length > SHOWN ? [...order.cycle.slice(0, SHOWN), '…', order.cycle[0]] : order.cycle;
    return invalid(
      reasons.DependencyCycle,
      `tasks depend on each other in a circle: ${shown.join(' → ')}; remove one of these dependsOn entries`,
    );
  }
  const needed = new Set(order.nodes.flatMap((node) => node.dependsOn));
  return {
    ok: true,
    dag: { nodes: order.nodes, sinks: order.nodes.map((node) => node.task.name).filter((name) => !needed.has(name)) },
  };
}

type Order = { ok: true; nodes: DagNode[] } | { ok: false; cycle: string[] };

/** Kahn's algorithm; what remains when no node is free any more contains a cycle, which is then walked. */
function topologicalOrder(nodes: ReadonlyMap<string, DagNode>): Order {
  const missing = new Map<string, number>();
  const dependants = new Map<string, string[]>();
  for (const [name, node] of nodes) {
    missing.set(name, node.dependsOn.length);
    for (const dependency of node.dependsOn) {
      const list = dependants.get(dependency);
      if (list) list.push(name);
      else dependants.set(dependency, [name]);
    }
  }
  const order: DagNode[] = [];
  const free = [...nodes.keys()].filter((name) => missing.get(name) === 0);
  for (let next = free.shift(); next !== undefined; next = free.shift()) {
    const node = nodes.get(next);
    if (node) order.push(node);
    missing.delete(next);
    for (const dependant of dependants.get(next) ?? []) {
      const left = (missing.get(dependant) ?? 0) - 1;
      missing.set(dependant, left);
      if (left === 0) free.push(dependant);
    }
  }
  if (missing.size === 0) return { ok: true, nodes: order };
  return { ok: false, cycle: walkCycle(nodes, missing) };
}

/** Every remaining node has a remaining dependency, so following them must come back to a node seen before. */
function walkCycle(nodes: ReadonlyMap<string, DagNode>, remaining: ReadonlyMap<string, number>): string[] {
  const path: string[] = [];
  let name = remaining.keys().next().value;
  while (name !== undefined && !path.includes(name)) {
    path.push(name);
    name = nodes.get(name)?.dependsOn.find((dependency) => remaining.has(dependency));
  }
  const cycle = name === undefined ? path : path.slice(path.indexOf(name));
  return name === undefined ? cycle : [...cycle, name];
}

function nearest(name: string, candidates: Iterable<string>): string {
  let best: { name: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate);
    if (best === undefined || distance < best.distance) best = { name: candidate, distance };
  }
  return best && best.distance <= Math.max(2, name.length / 3)
    ? `did you mean "${best.name}"?`
    : 'name one of its tasks, or remove the entry';
}

/** Levenshtein distance; both names have at most 63 characters. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
