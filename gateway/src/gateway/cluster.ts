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
import { type Kube, KubeError } from '../shared/kube.ts';
import { Problem } from './problem.ts';
import type { createWorkflowBody } from './schemas.ts';

/** What the API writes: `spec` only. Throws KubeError, and a Problem when this process lacks the right to do it. */
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

/** Pauses before a refusal is believed: an API server that has just started does not know its roles yet. */
const PATIENCE_MS = [500, 1_500];

/** @param sleep waits between tries; the delay in milliseconds */
export function createCluster(kube: Kube, sleep: (ms: number) => Promise<unknown>): Cluster {
  /** Whether the cluster's roles let this process do it. */
  const isAllowed = async (namespace: string, verb: string, resource: string): Promise<boolean> => {
    const review = await kube.create<{ status: { allowed: boolean } }>(
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { namespace, verb, group: API_VERSION.split('/')[0], resource } },
      },
    );
    return review.status.allowed;
  };

  const permitted = async <T>(
    namespace: string,
    verb: 'create' | 'patch',
    resource: string,
    write: () => Promise<T>,
  ): Promise<T> => {
    for (let tried = 0; ; tried += 1) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof KubeError) || error.status !== 403) throw error;
        const pause = PATIENCE_MS[tried];
        if (pause !== undefined) await sleep(pause);
        else if (await isAllowed(namespace, verb, resource)) throw error;
        else
          throw new Problem(500, `The gateway is misconfigured: its ServiceAccount may not ${verb} ${resource} here.`, {
            remedy: `Whoever runs Millwright has to grant it ${verb} on ${resource} in namespace ${namespace}; the chart's gateway role does.`,
            cause: error,
          });
      }
    }
  };

  // The API server refuses to take a cancellation back, so asking again changes nothing.
  const cancel = <T>(plural: string, namespace: string, name: string): Promise<T> =>
    permitted(namespace, 'patch', plural, () =>
      kube.mergePatch<T>(pathOf(plural, namespace, name), { spec: { cancel: true } }),
    );
  return {
    createWorkflow: ({ namespace, name, spec }, { actor, traceparent }) =>
      permitted(namespace, 'create', workflows.plural, () =>
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
      ),
    cancelWorkflow: (namespace, name) => cancel<Workflow>(workflows.plural, namespace, name),
    cancelTask: (namespace, name) => cancel<AgentTask>(agentTasks.plural, namespace, name),
  };
}

/** The API server appends five characters; 63 are the limit of a label. */
const generatedName = (spec: WorkflowSpec) => `${spec.projectRef.name.slice(0, 57)}-`;
