import { type AgentTask, labels } from '@millwright/crds';
import type { Cluster } from '../cluster.ts';
import { type CompiledDag, compileDag } from './dag.ts';
import type { WorkflowObservation } from './plan.ts';

/** Compiled DAGs by uid of the Workflow; its tasks cannot change, so they are compiled once. */
export type DagCache = Map<string, CompiledDag>;

/** Reads everything the plan for a Workflow may look at; undefined when it does not exist. */
export function observeWorkflow(key: string, cluster: Cluster, dags: DagCache): WorkflowObservation | undefined {
  const workflow = cluster.workflows.store.get(key);
  if (!workflow) return undefined;
  const { uid, namespace } = workflow.metadata;
  let dag = dags.get(uid);
  if (!dag) {
    dag = compileDag(workflow.spec);
    dags.set(uid, dag);
  }
  const children = new Map<string, AgentTask>();
  for (const task of cluster.tasks.store.by('workflow', uid)) {
    const name = task.metadata.labels?.[labels.task];
    if (name !== undefined) children.set(name, task);
  }
  const project = cluster.projects.store.get(`${namespace}/${workflow.spec.projectRef.name}`);
  return { workflow, dag, children, ...(project ? { project } : {}) };
}
