import { Validator } from '@seriousme/openapi-schema-validator';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { jwtSecret, startGateway, type TestGateway } from '../testing/gateway.ts';

vi.setConfig({ testTimeout: 30_000 });

let gateway: TestGateway;
let person: string;
beforeAll(async () => {
  gateway = await startGateway({});
  person = await new SignJWT({ role: 'authenticated' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('5f6a3c58-0000-4000-8000-000000000001')
    .setExpirationTime('1m')
    .sign(new TextEncoder().encode(jwtSecret));
});
afterAll(() => gateway.close());

const call = (path: string, init: RequestInit = {}, token = person) =>
  fetch(`${gateway.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
const post = (body: unknown) =>
  call('/api/v1/workflows', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const task = { name: 'build', command: ['make'] };
const workflow = { namespace: 'team-a', spec: { projectRef: { name: 'app' }, tasks: [task] } };

describe('the description of the API', () => {
  it('is valid OpenAPI 3.1 and names every route', async () => {
    const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    const result = await new Validator().validate(document);
    expect(result.valid, JSON.stringify(result.errors)).toBe(true);
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(operations.sort()).toEqual([
      'get /api/v1/projects',
      'get /api/v1/projects/{namespace}/{name}',
      'get /api/v1/tasks',
      'get /api/v1/tasks/{namespace}/{name}',
      'get /api/v1/tasks/{namespace}/{name}/artifacts/{digest}',
      'get /api/v1/workflows',
      'get /api/v1/workflows/{namespace}/{name}',
      'post /api/v1/tasks/{namespace}/{name}/cancel',
      'post /api/v1/workflows',
      'post /api/v1/workflows/{namespace}/{name}/cancel',
    ]);
  });

  it('describes a Workflow with the fields of the custom resource', async () => {
    const text = await (await fetch(`${gateway.url}/openapi.json`)).text();
    for (const said of ['Values for conditions (params.<name>)', 'set exactly one of prompt', '"maxItems":2000'])
      expect(text.includes(said), said).toBe(true);
  });
});

describe('errors', () => {
  const cases: [string, () => Promise<Response>, number, object][] = [
    ['a route that is not there', () => call('/api/v1/nothing'), 404, { remedy: 'See /openapi.json.' }],
    ['a limit too high', () => call('/api/v1/tasks?limit=5000'), 400, { errors: [{ field: 'limit' }] }],
    [
      'a namespace that cannot be',
      () => call('/api/v1/tasks?namespace=A_B'),
      400,
      { errors: [{ field: 'namespace' }] },
    ],
    ['a name that cannot be', () => call('/api/v1/workflows/team-a/..%2Fx'), 400, { errors: [{ field: 'name' }] }],
    [
      'a digest that cannot be',
      () => call('/api/v1/tasks/team-a/build/artifacts/sha256:0'),
      400,
      { errors: [{ field: 'digest' }] },
    ],
    ['no JSON', () => post('{'), 400, {}],
    [
      'a Workflow without tasks',
      () => post({ ...workflow, spec: { ...workflow.spec, tasks: [] } }),
      400,
      { errors: [{ field: 'spec.tasks' }] },
    ],
    [
      'an unknown member',
      () => post({ ...workflow, kind: 'Workflow' }),
      400,
      { detail: expect.stringContaining('unknown field "kind"; known are namespace, name, spec') },
    ],
    [
      'a field that is misspelt, which would have had the tasks run in any order',
      () => post({ ...workflow, spec: { ...workflow.spec, tasks: [{ ...task, dependson: ['lint'] }] } }),
      400,
      { errors: [{ field: 'spec.tasks.0', message: 'unknown field "dependson": did you mean "dependsOn"?' }] },
    ],
    [
      'a field below, misspelt',
      () => post({ ...workflow, spec: { ...workflow.spec, tasks: [{ ...task, retry: { maxAttemps: 3 } }] } }),
      400,
      { errors: [{ field: 'spec.tasks.0.retry', message: expect.stringContaining('did you mean "maxAttempts"?') }] },
    ],
    [
      'a task name that cannot be',
      () => post({ ...workflow, spec: { ...workflow.spec, tasks: [{ ...task, name: 'A b' }] } }),
      400,
      { errors: [{ field: 'spec.tasks.0.name' }] },
    ],
    ['a body too large', () => post({ ...workflow, spec: { ...workflow.spec, goal: 'x'.repeat(2_000_000) } }), 413, {}],
    ['a database that is away', () => call('/api/v1/tasks'), 503, { remedy: expect.stringContaining('Try again') }],
    [
      'a database that is away, when writing',
      () => post(workflow),
      503,
      { remedy: expect.stringContaining('Try again') },
    ],
    [
      'an API key while the database is away',
      () => call('/api/v1/tasks', {}, `mwk_${'a'.repeat(12)}_${'b'.repeat(43)}`),
      503,
      {},
    ],
  ];
  it.each(cases)('%s', async (_, ask, status, expected) => {
    const response = await ask();
    const body = (await response.json()) as { instance: string; errors?: object[] };
    expect(body).toMatchObject({
      type: 'about:blank',
      status,
      ...expected,
      ...('errors' in expected ? { errors: expect.anything() } : {}),
    });
    if ('errors' in expected) expect(body.errors?.[0]).toMatchObject((expected.errors as object[])[0] ?? {});
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('x-request-id')).toBe(body.instance);
  });

  it('still answers its health while the database is away', async () => {
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    const counted = metrics.split('\n').filter((line) => line.startsWith('millwright_http_requests_total'));
    expect(counted.find((line) => line.includes('route="/api/v1/tasks"') && line.includes('code="503"'))).toBeDefined();
  });
});
