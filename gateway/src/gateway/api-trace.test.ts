import type { Workflow } from '@millwright/crds';
import { createMetrics, noTelemetry, parseTraceparent, silentLogger, type Telemetry } from '@millwright/otel';
import type { AuditEntry } from '@millwright/supabase';
import { expect, it } from 'vitest';
import { observeHttp } from '../shared/observe-http.ts';
import { listen } from '../shared/server.ts';
import { noKube } from '../testing/gateway.ts';
import { recordingTelemetry } from '../testing/telemetry.ts';
import { addApi, createApp } from './api.ts';
import { createCluster } from './cluster.ts';
import type { History } from './history.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;

/** Creates a Workflow by a request of a trace. */
async function create(telemetry: Telemetry) {
  const made: Workflow[] = [];
  const audited: AuditEntry[] = [];
  const app = createApp(silentLogger);
  observeHttp(app, createMetrics('gateway'), telemetry);
  addApi(app, {
    authenticate: async () => ({ type: 'person', userId: 'u', actor: 'user:u', token: 't' }),
    historyOf: () => ({ requireWriter: async () => ({ organisationId: 'o' }) }) as unknown as History,
    cluster: createCluster(
      {
        ...noKube,
        create: async (_path, body) => {
          made.push(body as Workflow);
          return { ...(body as object), metadata: { namespace: 'team', name: 'flow', uid: 'uid' } } as never;
        },
      },
      async () => {},
    ),
    artifacts: { open: () => Promise.reject(new Error('not asked for')) },
    audit: async (entry) => void audited.push(entry),
    log: silentLogger,
  });
  const server = await listen(app, { port: 0, hostname: '127.0.0.1' });
  const body = { namespace: 'team', spec: { projectRef: { name: 'app' }, tasks: [{ name: 'a', command: ['true'] }] } };
  const response = await fetch(`${server.url}/api/v1/workflows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent },
    body: JSON.stringify(body),
  });
  await server.close(0);
  expect(response.status).toBe(201);
  return { annotation: made[0]?.metadata.annotations?.['millwright.dev/traceparent'], audited };
}

it('the Workflow names the request that created it, which hangs below what its sender did', async () => {
  const { telemetry, spans } = recordingTelemetry();
  const { annotation, audited } = await create(telemetry);
  expect(spans).toMatchObject([
    { traceId: TRACE, parentSpanId: 'b7ad6b7169203331', name: 'POST /api/v1/workflows', kind: 'server' },
  ]);
  expect(parseTraceparent(annotation)).toEqual({ traceId: TRACE, spanId: spans[0]?.spanId, sampled: true });
  expect(audited).toMatchObject([{ traceId: TRACE }]);
});

it('without spans of its own it names what its sender did', async () => {
  expect((await create(noTelemetry)).annotation).toBe(traceparent);
});
