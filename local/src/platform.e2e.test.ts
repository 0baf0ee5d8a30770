import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { createContext } from './context.ts';
import { readEnvironment } from './env.ts';
import { buildBaseImage } from './images/base.ts';
import { importBaseImage } from './images/import.ts';
import { run } from './process/run.ts';

/** What makes it a real cluster: pods start, speak to each other by Service name, and can be looked into. */
const ctx = createContext();
const { kubeconfig } = readEnvironment(ctx);
const namespace = `platform-${randomUUID().slice(0, 8)}`;
let image: string;

const kubectl = (args: readonly string[], input?: string) =>
  run(ctx.tool('kubectl'), ['--kubeconfig', kubeconfig, '--namespace', namespace, ...args], {
    timeoutSeconds: 120,
    ...(input === undefined ? {} : { input }),
  });

function pod(name: string, script: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'main',
          image,
          imagePullPolicy: 'Never',
          command: ['node', '--input-type=module', '-e', script],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}

const apply = (...objects: unknown[]) =>
  kubectl(['apply', '-f', '-'], objects.map((one) => stringify(one)).join('---\n'));
const succeeded = (name: string) =>
  kubectl(['wait', `pod/${name}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s']);

beforeAll(async () => {
  const base = await buildBaseImage(ctx);
  await importBaseImage(ctx, base);
  image = base.name;
  await kubectl(['create', 'namespace', namespace]);
  await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
});
afterAll(async () => {
  await kubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
});

describe('the local platform', () => {
  test('runs a pod to its end and keeps its log', async () => {
    await apply(pod('hello', 'console.log("hello from", process.getuid())'));
    await succeeded('hello');
    expect(await kubectl(['logs', 'hello'])).toBe('hello from 1000\n');
  });

  test('resolves and reaches a Service from another pod and from its own, and runs commands in pods', async () => {
    const server = `import { createServer } from 'node:http';
      createServer((_, response) => response.end('served')).listen(8080);`;
    const service = { selector: { app: 'server' }, ports: [{ port: 80, targetPort: 8080 }] };
    await apply(pod('server', server), { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: service });
    await kubectl(['wait', 'pod/server', '--for=condition=Ready', '--timeout=60s']);
    const ask = `for (;;) {
      const answer = await fetch('http://web.${namespace}.svc.cluster.local').catch(() => undefined);
      if (answer) { console.log(await answer.text()); break; }
    }`;
    await apply(pod('client', ask));
    await succeeded('client');
    expect(await kubectl(['logs', 'client'])).toBe('served\n');
    expect(await kubectl(['exec', 'server', '--', 'node', '--input-type=module', '-e', ask])).toBe('served\n');
  });

  test('lets pods reach what listens on the bridge, and the API server by its Service', async () => {
    const { gateway, kubernetesService } = ctx.addresses;
    const targets = [
      [gateway, ctx.ports.amqp],
      [gateway, ctx.ports.rest],
      [gateway, ctx.ports.otlpHttp],
      [kubernetesService, 443],
    ];
    const script = `import { connect } from 'node:net';
      for (const [host, port] of ${JSON.stringify(targets)}) {
        await new Promise((resolve, reject) => connect(port, host, resolve).once('error', reject)).then(() => console.log(port));
      }
      process.exit(0);`;
    await apply(pod('reach', script));
    await succeeded('reach');
    expect((await kubectl(['logs', 'reach'])).trim().split('\n')).toEqual(targets.map(([, port]) => String(port)));
  });

  test('refuses a pod that Pod Security forbids', async () => {
    const privileged = pod('bad', '');
    Object.assign(privileged.spec.containers[0] ?? {}, { securityContext: { privileged: true } });
    await expect(apply(privileged)).rejects.toThrow('violates PodSecurity "restricted:latest"');
  });

  test('keeps its state in the one ignored folder', async () => {
    expect(kubeconfig).toBe(join(ctx.stateDir, 'kubeconfig'));
    expect(await run('git', ['check-ignore', kubeconfig], { cwd: ctx.repository })).toContain('.local');
  });
});
