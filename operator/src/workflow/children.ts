import { type AgentTask, type AgentTaskSpec, API_VERSION, annotations, labels, type Workflow } from '@millwright/crds';
import { spanIdOf, traceIdOf, traceparent } from '@millwright/otel';
import { attemptRef, taskObjectName } from '../agent-task/names.ts';
import type { Draft } from '../runtime/index.ts';
import { shardOf } from '../shard.ts';
import type { DagNode } from './dag.ts';
import type { NodeState } from './states.ts';

export type TaskDraft = Draft<AgentTask>;

/** The AgentTask of a task whose dependencies have ended, with their results to start from. */
export function draftTask(workflow: Workflow, node: DagNode, states: ReadonlyMap<string, NodeState>): TaskDraft {
  const { name, dependsOn, when, ...fields } = node.task;
  const { metadata, spec } = workflow;
  const dependencies = commitsOf(dependsOn ?? [], states);
  const taskSpec: AgentTaskSpec = {
    projectRef: spec.projectRef,
    ...(spec.revision === undefined ? {} : { revision: spec.revision }),
    ...fields,
    priority: fields.priority ?? spec.priority,
    ...(dependencies.length > 0 ? { dependencies } : {}),
    ...(spec.params === undefined ? {} : { params: spec.params }),
  };
  return {
    metadata: {
      name: taskObjectName(metadata, name),
      namespace: metadata.namespace,
      labels: {
        [labels.workflow]: metadata.name,
        [labels.workflowUid]: metadata.uid,
        [labels.task]: name,
        [labels.project]: spec.projectRef.name,
        ...shardOf(workflow),
      },
      annotations: {
        [annotations.traceparent]: traceparent(traceIdOf(metadata.uid), spanIdOf(metadata.uid, 'workflow', 0, 'run')),
      },
      ownerReferences: [
        { apiVersion: API_VERSION, kind: 'Workflow', name: metadata.name, uid: metadata.uid, controller: true },
      ],
    },
    spec: taskSpec,
  };
}

/** Commits of the dependencies; one that changed nothing passes on what it had itself started from. */
function commitsOf(
  dependsOn: readonly string[],
  states: ReadonlyMap<string, NodeState>,
): NonNullable<AgentTaskSpec['dependencies']> {
  const found = new Map<string, NonNullable<AgentTaskSpec['dependencies']>[number]>();
  for (const name of dependsOn) {
    const state = states.get(name);
    if (state?.state !== 'ended' || state.child.status?.phase !== 'Succeeded') continue;
    const { child } = state;
    const { commit, ref } = child.status?.result ?? {};
    if (commit)
      found.set(commit, { name, commit, ref: ref ?? attemptRef(child.metadata.uid, child.status?.attempt ?? 1) });
    else for (const inherited of child.spec.dependencies ?? []) found.set(inherited.commit, inherited);
  }
  return [...found.values()];
}
