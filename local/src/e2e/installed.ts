import { createContext } from '../context.ts';
import { type Environment, readEnvironment } from '../env.ts';
import type { Context } from '../service.ts';
import type { Cluster } from '../start/cluster.ts';
import { installChart } from '../start/install.ts';
import { prepareLocal } from '../start/local.ts';

export interface Installed {
  readonly ctx: Context;
  readonly cluster: Cluster;
  readonly environment: Environment;
}

/** The local platform with Millwright on it, by the code of `npm start`. Quick when nothing has changed since the last time. */
export async function installed(): Promise<Installed> {
  const ctx = createContext();
  const cluster = await prepareLocal(ctx);
  await installChart(ctx, cluster);
  return { ctx, cluster, environment: readEnvironment(ctx) };
}
