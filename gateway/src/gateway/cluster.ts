import {
  type AgentTask,
  API_VERSION,
  agentTasks,
  annotations,
  type Workflow,
  type WorkflowSpec,
  workflows,
} from '@millwright/crds';
import type { z } from 'zod';
import type { Kube } from '../shared/kube.ts';
import type { createWorkflowBody } from './schemas.ts';

/** What the API writes: `spec` only. Throws KubeError. */
export interface Cluster {
  createWorkflow(
    body: z.infer<typeof createWorkflowBody>,
    by: { actor: string; traceparent?: string | undefined },
  ): Promise<Workflow>;
  cancelWorkflow(namespace: string, name: string): Promise<Workflow>;
  cancelTask(namespace: string, name: string): Promise<AgentTask>;
}

/** Who asked for an object through the API. */
const REQUESTED_BY = 'millwright.dev/requested-by';

const pathOf = (plural: string, namespace: string, name?: string) =>
  `/apis/${API_VERSION}/namespaces/${namespace}/${plural}${name === undefined ? '' : `/${name}`}`;

export function createCluster(kube: Kube): Cluster {
  // The API server refuses to take a cancellation back, so asking again changes nothing.
  const cancel = { spec: { cancel: true } };
  return {
    createWorkflow: ({ namespace, name, spec }, { actor, traceparent }) =>
      kube.create<Workflow>(pathOf(workflows.plural, namespace), {
        apiVersion: API_VERSION,
        kind: workflows.kind,
        metadata: {
          namespace,
          ...(name === undefined ? { generateName: generatedName(spec) } : { name }),
          annotations: {
            [REQUESTED_BY]: actor,
            ...(traceparent === undefined ? {} : { [annotations.traceparent]: traceparent }),
          },
        },
        spec,
      }),
    cancelWorkflow: (namespace, name) => kube.mergePatch<Workflow>(pathOf(workflows.plural, namespace, name), cancel),
    cancelTask: (namespace, name) => kube.mergePatch<AgentTask>(pathOf(agentTasks.plural, namespace, name), cancel),
  };
}

/** The API server appends five characters; 63 are the limit of a label. */
const generatedName = (spec: WorkflowSpec) => `${spec.projectRef.name.slice(0, 57)}-`;
