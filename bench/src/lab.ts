import type { Agents } from './agents.ts';
import type { Cleanup } from './cleanup.ts';
import type { Floor } from './floor.ts';
import type { Rig, RigOptions } from './rig.ts';
import type { Shape } from './shapes.ts';

/** What a group of measures works with. */
export interface Lab {
  cleanup: Cleanup;
  /** Repetitions. */
  rounds: number;
  /** Of load, for the growth of memory. */
  minutes: number;
  /** A count for a run that is to be compared; smaller when it is only tried out. */
  scaled(count: number): number;
  /** Where CPU profiles go, when there are to be some. */
  profileDir?: string;
  openRig(options?: Pick<RigOptions, 'tracing' | 'sandboxes' | 'prepare'>): Promise<Rig>;
  openFloor(rig: Rig, connections: number): Promise<Floor>;
  /** Tells how far the group is, between 0 and 1. */
  report(fraction: number): void;
}

const MOST_MS = 600_000;

/** Runs one Workflow from apply to its end. Returns how long that took, in milliseconds. */
export async function runWorkflow(
  rig: Rig,
  agents: Agents,
  name: string,
  { tasks }: Pick<Shape, 'tasks'>,
): Promise<number> {
  const start = performance.now();
  await rig.apply(name, tasks);
  // Nobody reads the Workflow while it runs: an object of half a megabyte would cost more than what is measured.
  await rig.within(MOST_MS, `Workflow ${name} has not ended`, agents.answered(name, tasks.length));
  await rig.succeeded(name, 60_000);
  return performance.now() - start;
}

/** Runs one-task Workflows that are applied at once. Returns how long that took, in milliseconds. */
export async function runBurst(rig: Rig, agents: Agents, batch: string, count: number): Promise<number> {
  const names = Array.from({ length: count }, (_, i) => `${batch}x${i}`);
  const start = performance.now();
  await Promise.all(names.map((name) => rig.apply(name, [{ name: 'a' }], batch)));
  const answered = Promise.all(names.map((name) => agents.answered(name, 1)));
  await rig.within(MOST_MS, `Workflows of ${batch} have not ended`, answered);
  await rig.batchSucceeded(batch, count, 60_000);
  return performance.now() - start;
}

/** A name for a Workflow without the dashes that separate the parts of a task's name. */
export const plainName = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
