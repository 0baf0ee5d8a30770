import type { Lab } from './lab.ts';
import { until } from './until.ts';

/**
 * Connections to the virtual host, once the management API lists both of the operator's: it lists what is new late.
 * @param which all of them, or only the one on which the operator publishes
 * @returns what closes them, and says how many it closed
 */
export async function findConnections(
  { managementUrl, vhost, operator }: Lab,
  which: 'all' | 'publishing',
): Promise<() => Promise<number>> {
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
    if (!isThere(name) || !isThere(`${name} (consumers)`)) return undefined;
    return found.filter((each) => which === 'all' || each.user_provided_name === name).map((each) => each.name);
  });
  return async () => {
    await Promise.all(names.map((name) => call('DELETE', `connections/${encodeURIComponent(name)}`)));
    return names.length;
  };
}

export const closeConnections = async (lab: Lab): Promise<number> => (await findConnections(lab, 'all'))();
