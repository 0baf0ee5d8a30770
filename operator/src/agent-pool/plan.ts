import type { AgentPool, AgentPoolStatus } from '@millwright/crds';
import type { Note } from '../note.ts';
import type { Preparation } from './preparations.ts';
import type { Problem } from './problem.ts';
import { scale, type Want } from './scale.ts';
import { statusAction } from './status.ts';
import type { Trouble } from './troubles.ts';

/** A sandbox Job and what is known of its pod. */
export interface SandboxView {
  job: string;
  ordinal: number;
  /** Workspace image it was started with. */
  image: string;
  pod?: string;
  /** `spent`: was granted a task, and ends by itself. */
  state: 'starting' | 'idle' | 'spent' | 'succeeded' | 'failed';
  /** It is to get no more work. */
  draining: boolean;
  /** The API server has taken the deletion of its Job. */
  deleted: boolean;
  /** It was made from other settings than one would be now. */
  outdated: boolean;
  createdAt: number;
  /** When it ended, in milliseconds since the epoch. */
  endedAt?: number;
  /** Why it does not start, for example an image that cannot be pulled. */
  problem?: Problem;
}

/** All that the plan for a pool may look at. */
export interface PoolObservation {
  pool: AgentPool;
  sandboxes: readonly SandboxView[];
  /** Published work that no agent has claimed yet, by workspace image. */
  demand: ReadonlyMap<string, number>;
  /** Workspace images of the namespace's projects on this pool, kept warm. */
  warmImages: readonly string[];
  /** Tasks at work on the pool, for pools whose agents run outside. */
  inUse: number;
  /** Tasks that wait for a slot of the pool. */
  waiting: number;
  /** Work queues its agents consume. */
  queues: readonly string[];
  /** Whether broker user, Secret and NetworkPolicy are there for this generation. */
  preparation: Preparation;
  /** Images whose last sandboxes did not come to take a task. */
  troubles: ReadonlyMap<string, Trouble>;
  /** Names of the Projects whose tasks use an image on the pool. */
  projects: (image: string) => readonly string[];
}

export type PoolAction =
  | { do: 'prepare' }
  | { do: 'startSandbox'; ordinal: number; image: string }
  | { do: 'drain'; job: string; pod?: string }
  | { do: 'status'; status: AgentPoolStatus; lazy?: boolean; note?: Note };

export interface PoolPlan {
  actions: PoolAction[];
  requeueAfterMs?: number;
}

/**
 * Decides how many sandboxes a pool needs: enough free ones for published work and the warm ones, never more than `scale.max`.
 * @param now milliseconds since the epoch
 */
export function planPool(observed: PoolObservation, now: number): PoolPlan {
  const { pool } = observed;
  if (pool.metadata.deletionTimestamp) return { actions: [] };
  const actions: PoolAction[] = [];
  const wants = wantedFree(observed);
  if (observed.preparation === 'missing') actions.push({ do: 'prepare' });
  let requeueAfterMs: number | undefined;
  let started = 0;
  if (!pool.spec.external) {
    const scaled = scale(observed, wants, now);
    actions.push(...scaled.actions);
    started = scaled.started;
    requeueAfterMs = scaled.requeueAfterMs;
  }
  // A look that fails, since the broker's management is away for a while, keeps no sandbox from starting.
  if (observed.preparation === 'due') actions.push({ do: 'prepare' });
  actions.push(statusAction(observed, started, now));
  return { actions, ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }) };
}

function wantedFree({ pool, demand, warmImages, sandboxes, troubles }: PoolObservation): Map<string, Want> {
  const wants = new Map<string, Want>();
  if (!pool.spec.enabled) return wants;
  const want = (image: string, count: number) => {
    const trouble = troubles.get(image);
    wants.set(image, { count, needed: demand.get(image) ?? 0, ...(trouble ? { trouble } : {}) });
  };
  // Work that waits goes before what is kept warm, which may be an image that never starts.
  for (const [image, count] of demand) want(image, count);
  const { warm } = pool.spec.scale;
  for (const image of lastUsedFirst(warmImages, sandboxes)) want(image, Math.max(warm, demand.get(image) ?? 0));
  return wants;
}

/** Where not all can be kept warm, those are that are in use. */
function lastUsedFirst(images: readonly string[], sandboxes: readonly SandboxView[]): string[] {
  const last = new Map<string, number>();
  for (const { image, state, ordinal } of sandboxes)
    if (state === 'spent' || state === 'succeeded') last.set(image, Math.max(ordinal, last.get(image) ?? 0));
  return [...images].sort((a, b) => (last.get(b) ?? 0) - (last.get(a) ?? 0));
}
