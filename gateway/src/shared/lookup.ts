import { connectKube, type Kube } from './kube.ts';
import { type Access, fileProjects, kubeProjects, type ProjectLookup } from './projects.ts';

/** Where Projects are looked up: in the Kubernetes API (`kube`), or in a file where there is no cluster. Close it at the end. */
export async function openProjects(
  file: string | undefined,
  environment: NodeJS.ProcessEnv,
  access: Access,
): Promise<{ lookup: ProjectLookup; kube?: Kube; close(): Promise<void> }> {
  if (file !== undefined) return { lookup: fileProjects(file), close: async () => {} };
  const kube = await connectKube(environment);
  return { lookup: kubeProjects(kube, access), kube, close: () => kube.close() };
}
