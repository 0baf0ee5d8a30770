import { z } from '@hono/zod-openapi';
import {
  agentTaskStatus,
  dnsLabel,
  fields,
  projectSpec,
  projectStatus,
  workflowSpec,
  workflowStatus,
} from '@millwright/crds';

/** What requests and answers look like. Specs and statuses are those of the custom resources. */

const namespace = dnsLabel.meta({ description: 'Kubernetes namespace.' });
/** Names become labels and branches, hence a label's length. */
const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, 'must be a Kubernetes object name')
  .meta({ description: 'Name of the object.' });
const uid = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'Uid of one object, when several had the name one after the other.' });

export const nameParams = z.object({ namespace, name: objectName });
export const artifactParams = nameParams.extend({
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits')
    .meta({ description: 'Digest, as in status.result.artifacts of the task.' }),
});
export const uidQuery = z.object({ uid: uid.optional() });

const page = {
  namespace: namespace.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100).meta({ description: 'Items in one page.' }),
  cursor: z.string().max(2048).optional().meta({ description: '`next` of the page before.' }),
};
const phase = z.string().max(32).optional();
const project = objectName.optional();
export const projectQuery = z.object(page);
export const workflowQuery = z.object({ ...page, project, phase });
export const taskQuery = z.object({
  ...page,
  project,
  phase,
  workflowUid: z.string().max(64).optional().meta({ description: 'Only tasks of this Workflow.' }),
});

const time = z.string().meta({ format: 'date-time' });
const object = {
  uid: z.string(),
  namespace: z.string(),
  name: z.string(),
  createdAt: time,
  updatedAt: time,
  deletedAt: time.nullable().meta({ description: 'When it left the cluster; its history stays.' }),
};
const state = {
  project: z.string().nullable(),
  phase: z.string().nullable(),
  reason: z.string().nullable(),
  message: z.string().nullable(),
  traceId: z.string().nullable(),
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
};

/** Documents as the cluster had them: an older one may lack what is required today. */
const document = (schema: z.ZodType, what: string) =>
  z
    .record(z.string(), z.unknown())
    .meta({ description: `${what} Fields: ${Object.keys(shapeOf(schema)).join(', ')}.` });
const shapeOf = (schema: z.ZodType): Record<string, unknown> => (schema instanceof z.ZodObject ? schema.shape : {});

export const projectView = z
  .object({ ...object, spec: document(projectSpec, 'The spec.'), status: document(projectStatus, 'The status.') })
  .openapi('Project');

export const workflowSummary = z
  .object({ ...object, ...state, stage: z.string().nullable(), progress: z.string().nullable() })
  .openapi('WorkflowSummary');
export const workflowView = workflowSummary
  .extend({
    spec: document(workflowSpec, 'The spec, without its tasks.'),
    status: document(workflowStatus, 'The status.'),
  })
  .openapi('Workflow');

export const taskSummary = z
  .object({
    ...object,
    ...state,
    workflowUid: z.string().nullable(),
    attempt: z.int().nullable(),
    tests: z.string().nullable(),
    branch: z.string().nullable(),
    commit: z.string().nullable(),
    queuedAt: time.nullable(),
  })
  .openapi('TaskSummary');
export const taskView = taskSummary
  .extend({
    spec: z.record(z.string(), z.unknown()).meta({ description: 'The spec, summarised.' }),
    status: document(agentTaskStatus, 'The status.'),
  })
  .openapi('Task');

export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    next: z.string().optional().meta({ description: 'Cursor of the next page, if any.' }),
  });

export const createWorkflowBody = fields({
  namespace,
  name: dnsLabel.optional().meta({ description: "Default: made from the Project's name." }),
  spec: workflowSpec,
}).openapi('CreateWorkflow');

/** What a write answers: which object it was, and what it is called. */
export const written = z
  .object({ uid: z.string(), namespace: z.string(), name: z.string(), resourceVersion: z.string(), createdAt: time })
  .openapi('Written');
