import { defineResource, type KubeObject } from './resource.ts';

/** `coordination.k8s.io/v1` LeaseSpec. */
export interface LeaseRecord {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  spec?: LeaseRecord;
}

export const leases = defineResource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
});

/** The lease with another record; carries its resourceVersion, so that writing it is a compare-and-set. */
export function leaseWith(lease: Lease, spec: LeaseRecord): Lease {
  return { ...lease, spec };
}

/** Kubernetes' MicroTime, which wants exactly six digits after the point. `wallMs` is milliseconds since the epoch. */
export function microTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replace('Z', '000Z');
}
