import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readIfPresent, writeAtomically } from '../files.ts';
import type { Context } from '../service.ts';
import { certificate, clusterAuthority } from './certificates.ts';

export const contextName = 'millwright-local';

/** The administrator's kubeconfig, for people, tests and Helm. */
export function adminKubeconfig(ctx: Context): string {
  return join(ctx.stateDir, 'kubeconfig');
}

/** Where the API server answers, from the host and from pods. */
export function apiServerUrl(ctx: Context): string {
  return `https://${ctx.addresses.gateway}:${ctx.ports.apiserver}`;
}

/**
 * Writes a kubeconfig with a client certificate of its own and returns its path.
 *
 * @param user what the API server takes the bearer for; the group `system:masters` may do everything
 */
export async function writeKubeconfig(
  ctx: Context,
  file: string,
  user: { readonly name: string; readonly group?: string },
): Promise<string> {
  const authority = await clusterAuthority(ctx);
  const pair = await certificate(
    ctx,
    `client-${user.name.replaceAll(':', '-')}`,
    { commonName: user.name, ...(user.group === undefined ? {} : { organization: user.group }) },
    authority,
  );
  const base64 = (path: string) => readFileSync(path).toString('base64');
  const content = stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: contextName,
          cluster: { server: apiServerUrl(ctx), 'certificate-authority-data': base64(authority.cert) },
        },
      ],
      users: [
        {
          name: user.name,
          user: { 'client-certificate-data': base64(pair.cert), 'client-key-data': base64(pair.key) },
        },
      ],
      contexts: [{ name: contextName, context: { cluster: contextName, user: user.name } }],
      'current-context': contextName,
    },
    { lineWidth: 0 },
  );
  // People may keep a chosen namespace in it: what is the same credentials is left alone.
  if (!readIfPresent(file)?.includes(base64(pair.cert))) writeAtomically(file, content, 0o600);
  return file;
}

/** A kubeconfig for one of the cluster's own components, in that component's folder. */
export function componentKubeconfig(ctx: Context, service: string, user: string, group?: string): Promise<string> {
  const file = join(ctx.dataDir(service), 'kubeconfig');
  return writeKubeconfig(ctx, file, { name: user, ...(group === undefined ? {} : { group }) });
}
