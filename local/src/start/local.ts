import { buildArchives } from '../images/images.ts';
import { importImages } from '../images/import.ts';
import { ctr } from '../kubernetes/ctr.ts';
import { up } from '../platform.ts';
import { prepareRepository } from '../repository/repository.ts';
import type { Context } from '../service.ts';
import { type Cluster, clients, EXAMPLE_NAMESPACE, SYSTEM_NAMESPACE } from './cluster.ts';
import { localValues } from './local-values.ts';

/** The name under which the examples know the toolchain image. */
const WORKSPACE_ALIAS = 'millwright.local/workspace-go:local';

/** Brings the local platform up with images and the repository that the examples work on. */
export async function prepareLocal(ctx: Context): Promise<Cluster> {
  const [environment, built] = await Promise.all([up(ctx), buildArchives(ctx)]);
  await importImages(ctx, built);
  const { operator, gateway, agents, workspaceGo } = built.archives;
  await ctr(ctx, ['images', 'tag', '--force', workspaceGo.image, WORKSPACE_ALIAS]);
  await prepareRepository(ctx);
  return {
    local: true,
    context: environment.kubeContext,
    systemNamespace: SYSTEM_NAMESPACE,
    namespace: EXAMPLE_NAMESPACE,
    valueFiles: [],
    // By content, so that a sandbox kept warm with an older image is not taken for one with this.
    substitutions: { [WORKSPACE_ALIAS]: workspaceGo.image },
    values: localValues(ctx, environment, { operator: operator.image, gateway: gateway.image, agents: agents.image }),
    tracesUrl: environment.jaegerUrl,
    ...clients(ctx.tool('kubectl'), ctx.tool('helm'), environment.kubeContext, { KUBECONFIG: environment.kubeconfig }),
  };
}
