import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { parse } from 'yaml';
import { z } from 'zod';
import { serviceUrl } from './environment.ts';

const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ server: z.url(), 'certificate-authority-data': z.base64() }) })]),
  users: z.tuple([
    z.object({ user: z.object({ 'client-certificate-data': z.base64(), 'client-key-data': z.base64() }) }),
  ]),
});

/** A Kubernetes namespace of a test's own. */
export interface TestNamespace extends AsyncDisposable {
  readonly name: string;
  /** Asks for its deletion with all that is in it, and does not wait for the end of that. */
  dispose(): Promise<void>;
}

/**
 * Makes a namespace.
 *
 * @param kubeconfig path of one with a single cluster and a client certificate, as the local platform writes it; by default
 *   what the environment says
 * @param labels for example those of Pod Security
 */
export async function testNamespace(
  kubeconfig: string = serviceUrl('MILLWRIGHT_TEST_KUBECONFIG'),
  labels: Readonly<Record<string, string>> = {},
): Promise<TestNamespace> {
  const call = apiServer(await readFile(kubeconfig, 'utf8'));
  const name = `test-${randomBytes(6).toString('hex')}`;
  await call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  const dispose = () => call('DELETE', `/api/v1/namespaces/${name}`);
  return { name, dispose, [Symbol.asyncDispose]: dispose };
}

function apiServer(kubeconfig: string): (method: string, path: string, body?: unknown) => Promise<void> {
  const { clusters, users } = kubeconfigSchema.parse(parse(kubeconfig));
  const { cluster } = clusters[0];
  const { user } = users[0];
  const decode = (data: string) => Buffer.from(data, 'base64');
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, cluster.server),
        {
          method,
          headers: { 'content-type': 'application/json' },
          ca: decode(cluster['certificate-authority-data']),
          cert: decode(user['client-certificate-data']),
          key: decode(user['client-key-data']),
          agent: false,
          timeout: 30_000,
        },
        (incoming) => {
          let text = '';
          incoming.setEncoding('utf8');
          incoming.on('data', (chunk: string) => {
            text += chunk;
          });
          incoming.once('error', reject);
          incoming.once('end', () => {
            const status = incoming.statusCode ?? 0;
            // Deleting what is already going away is no failure.
            if (status < 300 || (method === 'DELETE' && (status === 404 || status === 409))) resolve();
            else reject(new Error(`the API server answered ${status} to ${method} ${path}: ${text.slice(0, 500)}`));
          });
        },
      );
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer to ${method} ${path}`)));
      outgoing.once('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
}
