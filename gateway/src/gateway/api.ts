import { getConnInfo } from '@hono/node-server/conninfo';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { MillwrightResource } from '@millwright/crds';
import { type Logger, parseTraceparent } from '@millwright/otel';
import type { AuditEntry } from '@millwright/supabase';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import { timeout } from 'hono/timeout';
import type { ArtifactSource } from './artifacts.ts';
import type { Cluster } from './cluster.ts';
import type { History } from './history.ts';
import type { Authenticate, Caller } from './identity.ts';
import { asProblem, Problem, problemResponse } from './problem.ts';
import * as routes from './routes.ts';
import { summaryOfTask, summaryOfWorkflow, viewOfProject, viewOfTask, viewOfWorkflow } from './views.ts';

export interface ApiOptions {
  authenticate: Authenticate;
  historyOf: (caller: Caller) => History;
  cluster: Cluster;
  artifacts: ArtifactSource;
  /** Throws StoreError: what cannot be audited is not done. */
  audit: (entry: AuditEntry) => Promise<void>;
  log: Logger;
}

export interface Environment {
  Variables: { requestId: string; caller: Caller };
}

/** etcd takes objects of about this size; a Workflow of 2,000 typical tasks has a third of it. */
const MAX_BODY = 1536 * 1024;
const TIMEOUT_MS = 30_000;

const information = {
  openapi: '3.1.0',
  info: {
    title: 'Millwright',
    version: 'v1',
    description: 'What runs, what ran, and two ways to change it.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
};

/** An application whose errors are problem details (RFC 9457). Routes are added to it. */
export function createApp(log: Logger): OpenAPIHono<Environment> {
  const app = new OpenAPIHono<Environment>({
    defaultHook: (result) => {
      if (result.success) return;
      const errors = result.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }));
      const first = errors[0];
      const detail = first ? `${first.field || 'The request'}: ${first.message}` : 'The request is not valid.';
      throw new Problem(400, detail, {
        errors,
        remedy: 'Correct the fields listed in errors; /openapi.json says what they take.',
      });
    },
  });
  app.notFound((c) =>
    problemResponse(
      c,
      new Problem(404, 'There is nothing here.', { remedy: 'See /openapi.json.' }),
      c.get('requestId') ?? '',
    ),
  );
  app.onError((error, c) => {
    const id = c.get('requestId') ?? '';
    const problem = asProblem(error);
    const fields = { requestId: id, method: c.req.method, path: c.req.path, actor: c.get('caller')?.actor };
    if (problem && problem.status < 500)
      log.info('refused', { ...fields, status: problem.status, reason: problem.message });
    else log.error('request failed', { ...fields, error });
    return problemResponse(
      c,
      problem ?? new Problem(500, 'The gateway could not do this.', { remedy: 'Its log has the id of the request.' }),
      id,
    );
  });

  app.use('*', requestId());
  return app;
}

/** Adds the API below `/api/v1`, and its description at `/openapi.json`. */
export function addApi(app: OpenAPIHono<Environment>, options: ApiOptions): void {
  const { cluster, log } = options;
  app.use('/api/*', secureHeaders());
  app.use('/api/*', timeout(TIMEOUT_MS));
  app.use(
    '/api/*',
    bodyLimit({
      maxSize: MAX_BODY,
      onError: () => {
        throw new Problem(413, `A request has at most ${MAX_BODY} bytes.`, {
          remedy: 'Split the Workflow, or move long commands into the repository.',
        });
      },
    }),
  );
  app.use('/api/*', async (c, next) => {
    c.set('caller', await options.authenticate(c.req.header('authorization')));
    await next();
  });
  const history = (c: Context<Environment>) => options.historyOf(c.get('caller'));

  /** Checks the right and leaves a trace of who wanted what, before it is done. */
  const permit = async (c: Context<Environment>, action: string, subject: string, namespace: string) => {
    const { organisationId } = await history(c).requireWriter(namespace);
    const { actor } = c.get('caller');
    const address = getConnInfo(c).remote.address;
    const traceId = parseTraceparent(c.req.header('traceparent'))?.traceId;
    const details = { requestId: c.get('requestId') };
    await options.audit({
      organisationId,
      actor,
      action,
      subject: subject.slice(0, 500),
      details,
      ...(address === undefined ? {} : { address }),
      ...(traceId === undefined ? {} : { traceId }),
    });
    log.info(action, { actor, subject, ...details });
    return actor;
  };

  app.openapi(routes.listProjects, async (c) => {
    const { limit, cursor, namespace } = c.req.valid('query');
    const page = await history(c).list('projects', { where: { namespace }, limit, cursor });
    return c.json({ ...page, items: page.items.map(viewOfProject) }, 200);
  });
  app.openapi(routes.showProject, async (c) => {
    const { namespace, name } = c.req.valid('param');
    return c.json(viewOfProject(await history(c).show('projects', namespace, name, c.req.valid('query').uid)), 200);
  });
  app.openapi(routes.listWorkflows, async (c) => {
    const { limit, cursor, ...where } = c.req.valid('query');
    const page = await history(c).list('workflows', { where, limit, cursor });
    return c.json({ ...page, items: page.items.map(summaryOfWorkflow) }, 200);
  });
  app.openapi(routes.showWorkflow, async (c) => {
    const { namespace, name } = c.req.valid('param');
    return c.json(viewOfWorkflow(await history(c).show('workflows', namespace, name, c.req.valid('query').uid)), 200);
  });
  app.openapi(routes.createWorkflow, async (c) => {
    const body = c.req.valid('json');
    const actor = await permit(c, 'workflow.create', `Workflow ${body.namespace}/${body.name ?? ''}`, body.namespace);
    const traceparent = c.get('traceparent') ?? c.req.header('traceparent');
    const created = await cluster.createWorkflow(body, { actor, traceparent });
    c.header('location', `/api/v1/workflows/${created.metadata.namespace}/${created.metadata.name}`);
    return c.json(writtenOf(created), 201);
  });
  app.openapi(routes.cancelWorkflow, async (c) => {
    const { namespace, name } = c.req.valid('param');
    await permit(c, 'workflow.cancel', `Workflow ${namespace}/${name}`, namespace);
    return c.json(writtenOf(await cluster.cancelWorkflow(namespace, name)), 202);
  });
  app.openapi(routes.listTasks, async (c) => {
    const { limit, cursor, workflowUid, ...where } = c.req.valid('query');
    const page = await history(c).list('tasks', { where: { ...where, workflow_uid: workflowUid }, limit, cursor });
    return c.json({ ...page, items: page.items.map(summaryOfTask) }, 200);
  });
  app.openapi(routes.showTask, async (c) => {
    const { namespace, name } = c.req.valid('param');
    return c.json(viewOfTask(await history(c).show('tasks', namespace, name, c.req.valid('query').uid)), 200);
  });
  app.openapi(routes.downloadArtifact, async (c) => {
    const { namespace, name, digest } = c.req.valid('param');
    const found = await history(c).artifact(namespace, name, digest, c.req.valid('query').uid);
    const { bytes, body } = await options.artifacts.open({ namespace, project: found.project }, digest);
    return c.body(body, 200, {
      'content-type': 'application/octet-stream',
      'content-length': String(bytes),
      'cache-control': 'private, immutable, max-age=31536000',
      // Written by agents: a browser must neither show nor run it.
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(found.name)}`,
      'content-security-policy': "default-src 'none'; sandbox",
    });
  });
  app.openapi(routes.cancelTask, async (c) => {
    const { namespace, name } = c.req.valid('param');
    await permit(c, 'task.cancel', `AgentTask ${namespace}/${name}`, namespace);
    return c.json(writtenOf(await cluster.cancelTask(namespace, name)), 202);
  });

  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'A Supabase access token, or an API key (mwk_…).',
  });
  app.doc31('/openapi.json', information);
}

const writtenOf = ({ metadata }: MillwrightResource) => ({
  uid: metadata.uid,
  namespace: metadata.namespace,
  name: metadata.name,
  resourceVersion: metadata.resourceVersion,
  createdAt: metadata.creationTimestamp,
});
