import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { Context } from '../service.ts';
import { certificate, clusterAuthority, type KeyPair } from './certificates.ts';
import { apiServerUrl } from './kubeconfig.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * One request to the API server as administrator. Small on purpose: the platform's own probes and first objects need no client
 * library, and one connection each is fine for them.
 *
 * @param body sent as JSON; for PATCH as a server-side apply
 * @throws Error when there is no answer within 5 s; a status of 400 or more is an answer
 */
export async function callApiServer(ctx: Context, method: string, path: string, body?: unknown): Promise<Answer> {
  const authority = await clusterAuthority(ctx);
  const admin = await certificate(
    ctx,
    'client-admin',
    { commonName: 'admin', organization: 'system:masters' },
    authority,
  );
  return callTls(`${apiServerUrl(ctx)}${path}`, method, authority.cert, admin, body);
}

/** As `callApiServer`, and throws the server's message when the status is not 2xx. Returns the parsed answer. */
export async function apiServer(ctx: Context, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await callApiServer(ctx, method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 500)}`);
  return JSON.parse(answer.body);
}

/** Creates or changes objects by server-side apply; `path` is the object's own URL path. */
export async function applyObject(ctx: Context, path: string, object: unknown): Promise<void> {
  await apiServer(ctx, 'PATCH', `${path}?fieldManager=millwright-local&force=true`, object);
}

/** One request to a server that `authority` (path of a PEM file) vouches for, with or without a client certificate. */
export function callTls(
  url: string,
  method: string,
  authority: string,
  client?: KeyPair,
  body?: unknown,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      {
        method,
        ca: readFileSync(authority),
        ...(client ? { cert: readFileSync(client.cert), key: readFileSync(client.key) } : {}),
        agent: false,
        timeout: 5000,
        headers: {
          accept: 'application/json',
          'content-type': method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json',
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    call.on('timeout', () => call.destroy(new Error(`${url} did not answer within 5 s`)));
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
