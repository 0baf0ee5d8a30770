import { createHmac, timingSafeEqual } from 'node:crypto';
import type { WorkKind } from '@millwright/crds';

/** What a fencing token vouches for: this pod was granted this attempt in this leader's epoch. */
export interface Fence {
  task: string;
  attempt: number;
  kind: WorkKind;
  epoch: number;
  pod: string;
}

const sign = (fence: Fence, key: string): string =>
  createHmac('sha256', key)
    .update([fence.task, fence.attempt, fence.kind, fence.epoch, fence.pod].join('\n'))
    .digest('base64url')
    .slice(0, 32);

/** The token a granted agent echoes with everything it sends about the attempt. */
export function fencingToken(fence: Fence, key: string): string {
  return `${fence.task}.${fence.attempt}.${fence.kind}.${fence.epoch}.${sign(fence, key)}`;
}

/** Whether a token is the one that was given for exactly this grant. */
export function isFencedBy(token: string, fence: Fence, key: string): boolean {
  const expected = Buffer.from(fencingToken(fence, key));
  const given = Buffer.from(token);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
