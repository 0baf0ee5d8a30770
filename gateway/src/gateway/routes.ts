import { createRoute, type z } from '@hono/zod-openapi';
import { problemSchema } from './problem.ts';
import * as schemas from './schemas.ts';

/** Every route of the API, as OpenAPI describes it. */

const json = <T extends z.ZodType>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemSchema } },
});
const always = {
  400: problem('A parameter is not valid.'),
  401: problem('No token, or one that is not valid.'),
  503: problem('The database or the cluster cannot be asked now.'),
};
const reading = { ...always, 404: problem('Nothing of this name that the caller may see.') };
const writing = {
  ...always,
  403: problem('The caller may not change things in this namespace, or a policy of the cluster refuses it.'),
  404: problem('The cluster has no such object.'),
  409: problem('It exists already, or was changed meanwhile.'),
  413: problem('The body is too large.'),
  422: problem('The cluster refuses it; errors name the fields.'),
  502: problem('The cluster may have done it or not.'),
};
const security = [{ bearer: [] }];

export const listProjects = createRoute({
  method: 'get',
  path: '/api/v1/projects',
  operationId: 'listProjects',
  summary: 'List projects, newest first',
  security,
  request: { query: schemas.projectQuery },
  responses: { 200: json(schemas.pageOf(schemas.projectView), 'One page.'), ...always },
});

export const showProject = createRoute({
  method: 'get',
  path: '/api/v1/projects/{namespace}/{name}',
  operationId: 'showProject',
  summary: 'Show a project',
  security,
  request: { params: schemas.nameParams, query: schemas.uidQuery },
  responses: { 200: json(schemas.projectView, 'The project.'), ...reading },
});

export const listWorkflows = createRoute({
  method: 'get',
  path: '/api/v1/workflows',
  operationId: 'listWorkflows',
  summary: 'List workflows, newest first',
  security,
  request: { query: schemas.workflowQuery },
  responses: { 200: json(schemas.pageOf(schemas.workflowSummary), 'One page.'), ...always },
});

export const showWorkflow = createRoute({
  method: 'get',
  path: '/api/v1/workflows/{namespace}/{name}',
  operationId: 'showWorkflow',
  summary: 'Show a workflow',
  security,
  request: { params: schemas.nameParams, query: schemas.uidQuery },
  responses: { 200: json(schemas.workflowView, 'The workflow.'), ...reading },
});

export const createWorkflow = createRoute({
  method: 'post',
  path: '/api/v1/workflows',
  operationId: 'createWorkflow',
  summary: 'Create a workflow',
  security,
  request: { body: { required: true, content: { 'application/json': { schema: schemas.createWorkflowBody } } } },
  responses: { 201: json(schemas.written, 'It was created.'), ...writing },
});

export const cancelWorkflow = createRoute({
  method: 'post',
  path: '/api/v1/workflows/{namespace}/{name}/cancel',
  operationId: 'cancelWorkflow',
  summary: 'Cancel a workflow and its tasks; cannot be taken back',
  security,
  request: { params: schemas.nameParams },
  responses: { 202: json(schemas.written, 'It is being cancelled.'), ...writing },
});

export const listTasks = createRoute({
  method: 'get',
  path: '/api/v1/tasks',
  operationId: 'listTasks',
  summary: 'List tasks, newest first',
  security,
  request: { query: schemas.taskQuery },
  responses: { 200: json(schemas.pageOf(schemas.taskSummary), 'One page.'), ...always },
});

export const showTask = createRoute({
  method: 'get',
  path: '/api/v1/tasks/{namespace}/{name}',
  operationId: 'showTask',
  summary: 'Show a task',
  security,
  request: { params: schemas.nameParams, query: schemas.uidQuery },
  responses: { 200: json(schemas.taskView, 'The task.'), ...reading },
});

export const downloadArtifact = createRoute({
  method: 'get',
  path: '/api/v1/tasks/{namespace}/{name}/artifacts/{digest}',
  operationId: 'downloadArtifact',
  summary: 'Download an artifact of a task',
  security,
  request: { params: schemas.artifactParams, query: schemas.uidQuery },
  responses: {
    200: {
      description: 'The content, as the agent stored it: not to be trusted.',
      content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
    },
    ...reading,
    501: problem('The installation does not hand out artifacts.'),
  },
});

export const cancelTask = createRoute({
  method: 'post',
  path: '/api/v1/tasks/{namespace}/{name}/cancel',
  operationId: 'cancelTask',
  summary: 'Cancel a task; cannot be taken back',
  security,
  request: { params: schemas.nameParams },
  responses: { 202: json(schemas.written, 'It is being cancelled.'), ...writing },
});
