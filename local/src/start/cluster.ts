import { MissingRequirement } from '../debian.ts';
import { CommandError, run } from '../process/run.ts';
import type { Context } from '../service.ts';

/** The cluster that Millwright is installed on. */
export interface Cluster {
  local: boolean;
  context: string;
  /** Namespace of the control plane. */
  systemNamespace: string;
  /** Namespace of the example. */
  namespace: string;
  /** Values for the chart: files, then inline ones that win. */
  valueFiles: readonly string[];
  values: Readonly<Record<string, unknown>>;
  /** What the manifests of the example say → what is meant on this cluster. */
  substitutions: Readonly<Record<string, string>>;
  /** Jaeger's page for people, when there is one. */
  tracesUrl?: string;
  kubectl(args: readonly string[], input?: string): Promise<string>;
  helm(args: readonly string[]): Promise<string>;
}

/** The Helm release. */
export const RELEASE = 'millwright';
export const SYSTEM_NAMESPACE = 'millwright-system';
export const EXAMPLE_NAMESPACE = 'millwright-demo';

/** How to call kubectl and helm against one context of one kubeconfig. */
export function clients(
  kubectl: string,
  helm: string,
  context: string,
  env: Record<string, string>,
): Pick<Cluster, 'kubectl' | 'helm'> {
  return {
    kubectl: (args, input) =>
      run(kubectl, ['--context', context, ...args], { env, ...(input === undefined ? {} : { input }) }),
    helm: (args) => run(helm, ['--kube-context', context, ...args], { env }),
  };
}

/** A cluster of the user's own, reached with the user's own kubectl and helm. */
export async function connectTo(ctx: Context, context: string, valueFiles: readonly string[]): Promise<Cluster> {
  const commands = clients('kubectl', 'helm', context, {});
  await ctx.step(`Reaching context ${context}`, async () => {
    try {
      await commands.kubectl(['version', '--output=json']);
      await run('helm', ['version', '--short']);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new MissingRequirement(
        `${error.message}\nkubectl and helm must be in PATH and context "${context}" must answer; \`kubectl config get-contexts\` lists those you have.`,
      );
    }
  });
  return {
    local: false,
    context,
    systemNamespace: SYSTEM_NAMESPACE,
    namespace: EXAMPLE_NAMESPACE,
    valueFiles,
    substitutions: {},
    values: valueFiles.length === 0 ? { quickstart: { enabled: true } } : {},
    ...commands,
  };
}
