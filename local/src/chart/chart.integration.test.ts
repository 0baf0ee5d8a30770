import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readGatewayConfig } from '../../../gateway/src/gateway/config.ts';
import { readGitConfig } from '../../../gateway/src/git/config.ts';
import { readPublisherConfig } from '../../../gateway/src/publisher/config.ts';
import { readRecorderConfig } from '../../../gateway/src/recorder/config.ts';
import { readConfig as readOperatorConfig } from '../../../operator/src/config.ts';
import { readMigrateConfig } from '../../../supabase/src/migrate-config.ts';
import { run } from '../process/run.ts';
import { serviceUrl } from '../testing/environment.ts';
import {
  chart,
  environmentOf,
  external,
  helm,
  kubeVersion,
  parse,
  render,
  repository,
  type Values,
  variants,
} from './render.ts';
import { writeSchemas } from './schemas.ts';

const kubeconfig = serviceUrl('MILLWRIGHT_TEST_KUBECONFIG');
const namespace = `chart-${process.pid.toString(36)}-${Date.now().toString(36)}`;
const named = Object.entries(variants).map(([name, values]) => ({ name, values }));
const folder = mkdtempSync(join(tmpdir(), 'millwright-chart-'));

const kubectl = (args: readonly string[], input?: string, onLine?: (line: string) => void) =>
  run('kubectl', ['--kubeconfig', kubeconfig, ...args], {
    ...(input === undefined ? {} : { input }),
    ...(onLine ? { onLine } : {}),
  });
const apply = (manifest: unknown, ...args: string[]) =>
  kubectl([...args, 'apply', '--filename', '-'], JSON.stringify(manifest));

beforeAll(async () => {
  await kubectl(['apply', '--server-side', '--force-conflicts', '--filename', join(repository, 'crds/generated')]);
  await apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' },
    },
  });
  await writeSchemas(kubeconfig, folder);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

describe.each(named)('$name', ({ values }) => {
  test('passes helm lint', async () => {
    await helm(['lint', chart, '--strict', '--kube-version', kubeVersion], values);
  });

  test('consists of objects as the API server describes them, to the last field', async () => {
    const text = await render(values, namespace);
    const schemas = join(folder, '{{.ResourceKind}}{{.KindSuffix}}.json');
    const summary = await run('kubeconform', ['-summary', '-schema-location', schemas, '-'], { input: text });
    expect(summary).toMatch(/Invalid: 0, Errors: 0, Skipped: 0/);
    expect(summary).not.toContain('Summary: 0 resources');
  });

  test('is accepted by the API server, and every pod by restricted Pod Security', async () => {
    const warnings: string[] = [];
    const text = await render(values, namespace);
    const objects = parse(text).filter(
      ({ kind, metadata }) => kind !== 'CustomResourceDefinition' && isHere(metadata.namespace),
    );
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await kubectl(['--namespace', namespace, 'apply', '--dry-run=server', '--filename', '-'], list, (line) => {
      if (line.startsWith('Warning')) warnings.push(line);
    });
    expect(warnings).toEqual([]);
  });
});

/** Roles for the namespaces of teams, which do not exist here. */
const isHere = (objectNamespace: string | undefined) => objectNamespace === undefined || objectNamespace === namespace;

describe('wrong values', () => {
  const cases: { name: string; values: Values; says: readonly string[] }[] = [
    {
      name: 'nothing given: every missing one is named',
      values: {},
      says: [
        'rabbitmq.url is empty',
        'rabbitmq.managementUrl is empty',
        'supabase.url is empty',
        'supabase.serviceKey is empty',
      ],
    },
    {
      name: 'an unknown name',
      values: { ...external, oprator: {} },
      says: ["additional properties 'oprator' not allowed"],
    },
    {
      name: 'an unknown name further down',
      values: { ...external, git: { storage: { typ: 'emptyDir' } } },
      says: ["/git/storage': additional properties 'typ' not allowed"],
    },
    {
      name: 'several at once',
      values: { ...external, logLevel: 'loud', operator: { replicas: 0 }, rabbitmq: { url: 'http://rabbit' } },
      says: [
        "/logLevel': value must be one of 'debug', 'info'",
        "/operator/replicas': minimum: got 0, want 1",
        "/rabbitmq/url': 'http://rabbit' does not match",
      ],
    },
    {
      name: 'a folder without a node',
      values: { ...external, git: { storage: { type: 'local', path: '/srv' } } },
      says: ['git.storage.node is empty: with type local it names the node'],
    },
    {
      name: 'a namespace twice',
      values: {
        ...external,
        projectSecrets: [
          { namespace: 'a', read: ['x'] },
          { namespace: 'b', read: ['y'] },
          { namespace: 'a', push: ['z'] },
        ],
      },
      says: ['projectSecrets[2] names the namespace a again: put all of its Secrets into one entry'],
    },
    {
      name: 'two brokers',
      values: { ...external, quickstart: { enabled: true } },
      says: ['quickstart.enabled brings its own RabbitMQ', 'quickstart.enabled brings its own Postgres'],
    },
    {
      name: 'a short secret',
      values: { ...external, supabase: { url: 'https://s.example', serviceKey: 'k', jwtSecret: 'short' } },
      says: ["/supabase/jwtSecret': 'short' does not match"],
    },
  ];
  test.each(cases)('$name', async ({ values, says }) => {
    const failure = await render(values).then(
      () => 'it was accepted',
      (error: Error) => error.message,
    );
    for (const sentence of says) expect(failure).toContain(sentence);
  });
});

describe('each process can read the environment that the chart gives it', () => {
  const readers: Record<string, (environment: NodeJS.ProcessEnv) => unknown> = {
    operator: readOperatorConfig,
    gateway: readGatewayConfig,
    recorder: readRecorderConfig,
    publisher: readPublisherConfig,
    git: readGitConfig,
    migrate: readMigrateConfig,
  };
  test.each(Object.entries(readers))('%s', async (name, read) => {
    const values = {
      ...external,
      telemetry: { endpoint: 'http://collector.example:4318', sampleRatio: 0.5 },
      sandbox: { addresses: [{ cidr: '10.0.0.5/32', ports: [5672, 4318] }] },
    };
    const environment = environmentOf(parse(await render(values)), name);
    expect(() => read(environment)).not.toThrow();
    // A name that the process does not know would be passed over in silence: its reader must miss each of them.
    expect(
      Object.keys(environment).filter(
        (variable) => variable.startsWith('MILLWRIGHT_') && !isRead(read, environment, variable),
      ),
    ).toEqual([]);
  });
});

/** Whether the reader notices when the variable holds nonsense or another value. */
function isRead(
  read: (environment: NodeJS.ProcessEnv) => unknown,
  environment: Record<string, string>,
  variable: string,
): boolean {
  const before = JSON.stringify(read(environment));
  try {
    return JSON.stringify(read({ ...environment, [variable]: 'x'.repeat(40) })) !== before;
  } catch {
    return true;
  }
}

// The kinds of the Prometheus operator are not in this cluster, so what is rendered is compared with its source alone.
describe('for the Prometheus operator', () => {
  const kinds = async (values: Values) => parse(await render({ ...external, ...values })).map(({ kind }) => kind);

  test('there is nothing unless it is asked for', async () => {
    const rendered = await kinds({});
    expect(rendered.filter((kind) => kind === 'PrometheusRule' || kind === 'ServiceMonitor')).toEqual([]);
  });

  test('the rules are those that are checked against the metrics, with the labels that it selects by', async () => {
    const values = { ...external, prometheusRule: { enabled: true, labels: { release: 'prometheus' } } };
    const rule = parse(await render(values)).find(({ kind }) => kind === 'PrometheusRule');
    const [source] = parse(readFileSync(join(repository, 'otel/alerts.yaml'), 'utf8'));
    expect(rule?.spec).toEqual(source);
    expect(rule?.metadata).toMatchObject({ name: 'millwright', labels: { release: 'prometheus' } });
  });

  test('each process can be scraped', async () => {
    expect(await kinds({ serviceMonitor: { enabled: true } })).toContain('ServiceMonitor');
  });

  test('it alone can: the port is also that of the git host', async () => {
    const manifests = parse(await render({ ...external, serviceMonitor: { enabled: true } }));
    const policy = manifests.find(({ metadata }) => metadata.name === 'millwright-default');
    const podSelector = { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } };
    expect(policy?.spec).toMatchObject({
      ingress: [{ ports: [{ port: 'http' }], from: [{ namespaceSelector: {}, podSelector }] }],
    });
  });
});

/** What an upgrade of the release would apply: the chart sees what is in the cluster. */
const withCluster = (values: Values = {}) =>
  helm(
    [
      ...['template', 'millwright', chart, '--namespace', namespace, '--kubeconfig', kubeconfig],
      ...['--dry-run=server', '--kube-version', kubeVersion],
    ],
    { ...external, ...values },
  );

test('replicas of the git host do not change by accident', async () => {
  const [git] = parse(await render(external)).filter(({ kind }) => kind === 'StatefulSet');
  await apply({ ...git, spec: { ...git?.spec, replicas: 1 } }, '--namespace', namespace);
  await expect(withCluster({ git: { replicas: 2 } })).rejects.toThrow('git.replicas is 2 and was 1');
  expect(await withCluster({ git: { replicas: 2, moveProjects: true } })).toContain('kind: StatefulSet');
  await kubectl(['delete', 'statefulset', git?.metadata.name ?? '', '--namespace', namespace]);
});

describe('the signing key', () => {
  const keyOf = (text: string) =>
    parse(text).find(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'millwright-signing-key');

  test('is made once, and kept by whatever comes after', async () => {
    const made = keyOf(await withCluster());
    expect(Buffer.from(made?.data?.key ?? '', 'base64').length).toBeGreaterThanOrEqual(32);
    expect(made?.data?.artifactKey).not.toBe(made?.data?.key);
    expect(keyOf(await withCluster())?.data?.key).not.toBe(made?.data?.key);
    // As an earlier release made it.
    await apply({ ...made, data: { key: made?.data?.key } }, '--namespace', namespace);
    const grown = keyOf(await withCluster());
    expect(grown?.data).toEqual({ key: made?.data?.key, artifactKey: expect.any(String) });
    await apply(made, '--namespace', namespace);
    expect(keyOf(await withCluster())?.data).toEqual(made?.data);
    expect(made?.metadata.annotations?.['helm.sh/resource-policy']).toBe('keep');
  });
});

describe('rights', () => {
  const wide = ['ClusterRole', 'ClusterRoleBinding', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'];
  const account = (process: string) => `system:serviceaccount:${namespace}:millwright-${process}`;
  let rights: unknown;

  beforeAll(async () => {
    const manifests = parse(await render(external, namespace));
    const items = manifests.filter(({ kind }) => [...wide, 'Role', 'RoleBinding', 'ServiceAccount'].includes(kind));
    rights = { apiVersion: 'v1', kind: 'List', items };
    await apply(rights, '--namespace', namespace);
  });
  afterAll(() => kubectl(['--namespace', namespace, 'delete', '--filename', '-'], JSON.stringify(rights)));

  const questions: { process: string; may: string; answer: 'yes' | 'no' }[] = [
    { process: 'operator', may: 'patch agenttasks.millwright.dev --subresource=status', answer: 'yes' },
    { process: 'operator', may: 'patch agenttasks.millwright.dev', answer: 'no' },
    { process: 'operator', may: 'create jobs.batch', answer: 'yes' },
    { process: 'operator', may: 'watch networkpolicies.networking.k8s.io', answer: 'yes' },
    { process: 'operator', may: 'delete networkpolicies.networking.k8s.io', answer: 'no' },
    { process: 'operator', may: 'get secrets', answer: 'no' },
    { process: 'operator', may: 'create pods --subresource=exec', answer: 'no' },
    { process: 'operator', may: 'update leases.coordination.k8s.io/another', answer: 'no' },
    { process: 'gateway', may: 'create workflows.millwright.dev', answer: 'yes' },
    { process: 'gateway', may: 'patch workflows.millwright.dev --subresource=status', answer: 'no' },
    { process: 'gateway', may: 'get secrets', answer: 'no' },
    { process: 'git', may: 'get projects.millwright.dev', answer: 'yes' },
    { process: 'git', may: 'get agenttasks.millwright.dev', answer: 'yes' },
    { process: 'git', may: 'list agenttasks.millwright.dev', answer: 'no' },
    { process: 'git', may: 'get secrets', answer: 'no' },
    { process: 'publisher', may: 'get secrets', answer: 'no' },
    { process: 'recorder', may: 'get projects.millwright.dev', answer: 'no' },
  ];
  test.each(questions)('$process: $may? $answer', async ({ process, may, answer }) => {
    const asked = ['--namespace', namespace, 'auth', 'can-i', ...may.split(' '), `--as=${account(process)}`];
    // The exit code says the same as the answer.
    const said = await kubectl(asked).catch((error: { output: string }) => error.output);
    expect(said.trim().split('\n').at(-1)).toBe(answer);
  });

  const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } });
  const job = (labels: Record<string, string>) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'some', namespace, labels },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
  });
  const asOperator = (manifest: unknown) =>
    kubectl(
      ['create', '--dry-run=server', `--as=${account('operator')}`, '--filename', '-'],
      JSON.stringify(manifest),
    ).then(
      () => 'accepted',
      (error: Error) => error.message,
    );

  test('the operator writes what belongs to pools and sandboxes, under their names and labels only', async () => {
    // A new policy takes a moment until it is enforced.
    await expect
      .poll(() => asOperator(secret('somebody-elses')), { timeout: 30_000 })
      .toContain('whose names start with millwright-pool-');
    expect(await asOperator(secret('millwright-pool-go'))).toBe('accepted');
    expect(await asOperator(job({}))).toContain('millwright.dev/component=sandbox');
    expect(await asOperator(job({ 'millwright.dev/component': 'sandbox' }))).toMatch(/accepted|PodSecurity/);
  });
});

test('the examples are valid, but for those that show what is refused', async () => {
  const examples = join(repository, 'examples');
  const files = readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.yaml') && !file.startsWith('rejected/'),
  );
  const schemas = join(folder, '{{.ResourceKind}}{{.KindSuffix}}.json');
  const summary = await run('kubeconform', [
    '-summary',
    '-schema-location',
    schemas,
    ...files.map((file) => join(examples, file)),
  ]);
  expect(summary).toMatch(/Invalid: 0, Errors: 0, Skipped: 0/);
});
