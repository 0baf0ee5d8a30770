import type { Lab } from './lab.ts';
import { until } from './until.ts';

/**
 * Closes all connections to the virtual host by the management API, once it lists both of the operator's: it lists what is new late.
 * @returns how many it found
 */
export async function closeConnections({ managementUrl, vhost, operator }: Lab): Promise<number> {
  const url = new URL(managementUrl);
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`;
  const call = (method: string, path: string) =>
    fetch(`${url.origin}/api/${path}`, { method, headers: { authorization } });
  const name = `operator ${operator().epoch}`;
  const names = await until('the connections to be listed', async () => {
    const found = (await (await call('GET', `vhosts/${vhost}/connections`)).json()) as {
      name: string;
      user_provided_name?: string;
    }[];
    const isThere = (wanted: string) => found.some((each) => each.user_provided_name === wanted);
    return isThere(name) && isThere(`${name} (consumers)`) ? found.map((each) => each.name) : undefined;
  });
  await Promise.all(names.map((name) => call('DELETE', `connections/${encodeURIComponent(name)}`)));
  return names.length;
}
