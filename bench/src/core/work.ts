import type { Core } from '@millwright/native-wasm';
import type { Lab } from '../lab.ts';
import type { Peers } from './peers.ts';

/** What the measures of the core work with. */
export interface Work extends Pick<Lab, 'cleanup' | 'rounds' | 'scaled'> {
  core: Core;
  peers: Peers;
}

/** A figure says nothing when the two sides did not do the same. Throws an Error that says so. */
export function sameWork(what: string, ours: number, theirs: number, tolerance = 0): void {
  if (Math.abs(ours - theirs) > tolerance * theirs)
    throw new Error(`${what}: ours is ${ours} and the peer's ${theirs}; they did not do the same work`);
}
