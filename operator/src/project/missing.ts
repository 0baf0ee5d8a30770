/** An object that names its Project. */
interface Referrer {
  metadata: { namespace: string };
  spec: { projectRef: { name: string } };
}

/** Why what names a Project that does not exist waits. */
export const missingProject = ({ metadata: { namespace }, spec: { projectRef } }: Referrer): string =>
  `spec.projectRef names Project "${projectRef.name}", which namespace ${namespace} does not have: create it, or correct the name`;
