/** A Project by namespace and name; both are safe as names of folders. */
export interface ProjectKey {
  namespace: string;
  project: string;
}

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Reads `<namespace>` and `<project>.git` of a path; undefined when they are not names that Kubernetes accepts. */
export function projectKey(namespace: string, repository: string): ProjectKey | undefined {
  if (!repository.endsWith('.git')) return undefined;
  const project = repository.slice(0, -'.git'.length);
  if (!label.test(namespace) || project.length > 253 || !subdomain.test(project)) return undefined;
  return { namespace, project };
}
