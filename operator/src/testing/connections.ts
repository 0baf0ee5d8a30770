import type { Lab } from './lab.ts';
import { until } from './until.ts';

/**
 * Closes all connections to the virtual host by the management API, which lists them late.
 * @param atLeast how many there are
 * @returns how many it found
 */
export async function closeConnections({ managementUrl, vhost }: Lab, atLeast: number): Promise<number> {
  const url = new URL(managementUrl);
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`;
  const call = (method: string, path: string) =>
    fetch(`${url.origin}/api/${path}`, { method, headers: { authorization } });
  const names = await until('the connections to be listed', async () => {
    const found = (await (await call('GET', `vhosts/${vhost}/connections`)).json()) as { name: string }[];
    return found.length >= atLeast ? found.map(({ name }) => name) : undefined;
  });
  await Promise.all(names.map((name) => call('DELETE', `connections/${encodeURIComponent(name)}`)));
  return names.length;
}
